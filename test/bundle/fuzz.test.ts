import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { bundleOf, paxRecord, rawEntry, refusal } from './support.ts'

/** Numbers that are the same in every run (Park and Miller's generator), so that a failure can be repeated. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state * 48_271) % 2_147_483_647
    yield state
  }
}

const random = numbers(20_261)
const below = (bound: number): number => random.next().value % bound

/** One small damage: a byte changed, bytes removed, doubled, filled, or two places exchanged. */
function damaged(bytes: Buffer): Buffer {
  const at = below(bytes.length)
  const length = 1 + below(below(2) === 0 ? 8 : 600)
  const piece = bytes.subarray(at, at + length)
  const before = bytes.subarray(0, at)
  const behind = bytes.subarray(at + length)
  switch (below(5)) {
    case 0: {
      const copy = Buffer.from(bytes)
      copy[at] = below(256)
      return copy
    }
    case 1:
      return Buffer.concat([before, behind])
    case 2:
      return Buffer.concat([before, piece, piece, behind])
    case 3:
      return Buffer.concat([before, Buffer.alloc(piece.length, below(256)), behind])
    default:
      return Buffer.concat([before, behind, piece])
  }
}

const yaml = 'pki: &a\n  blocklist: [a, "b\\n", *b]\nx: &b {c: |-\n    text\n  }\n? - 1\n: >\n  folded\n'
const good = await bundleOf(
  { name: 'nodes', type: 'directory' },
  { name: 'nodes/a.yml', content: 'tun:\n  mtu: 1300\nlighthouse: &l {hosts: ["10.42.0.1"]}\nother: *l\n' },
  { name: `nodes/${'ü'.repeat(60)}.txt`, content: 'a\nb\n' },
)
const tar = Buffer.concat([
  rawEntry({ name: '././@LongLink', type: 'L' }, 'nodes/long.txt\0'),
  rawEntry({ name: 'x' }, 'content'),
  rawEntry({ name: 'PaxHeader', type: 'x' }, paxRecord('path', 'pax.txt') + paxRecord('mtime', '1')),
  rawEntry({ name: 'y' }, 'content'),
  gunzipSync(good),
])

test('the archives that the damage is done to are good ones', async () => {
  expect(await refusal(good)).toContain('accepted')
  expect(await refusal(gzipSync(tar))).toContain('accepted: config.yml nodes/a.yml nodes/long.txt')
})

// `refusal` throws whatever no caller caused.
test.each([
  ['gzip', 300, (): Buffer => damaged(good)],
  ['tar', 700, (): Buffer => gzipSync(damaged(tar))],
  ['tar, twice over,', 300, (): Buffer => gzipSync(damaged(damaged(tar)))],
])('a damaged %s is accepted or refused, never more', async (_, times, make) => {
  const outcomes = new Set<string>()
  for (let i = 0; i < times; i++) outcomes.add((await refusal(make())).slice(0, 60))
  expect(outcomes.size).toBeGreaterThan(3)
})

test('a damaged YAML file is accepted or refused, never more', async () => {
  const source = Buffer.from(yaml)
  for (let i = 0; i < 400; i++) {
    const outcome = await refusal(await bundleOf({ name: 'a.yml', content: damaged(damaged(source)) }))
    expect(outcome).toMatch(/^accepted|^ValidationError: input\.archive: a\.yml: /)
  }
})
