import { describe, expect, test } from '@jest/globals'
import { bundleOf, configOf, invalid, refusal } from './support.ts'

/** How a config.yml of this content is refused. */
async function configRefusal(content: string | Uint8Array): Promise<string> {
  return refusal(await configOf(content))
}

describe('a YAML file parses', () => {
  test.each([
    ['a list that is not closed', 'punchy:\n  punch: [1, 2\n', 'line 3 is not valid YAML: '],
    ['a mapping inside a plain value', 'a: b: c\n', 'line 1 is not valid YAML: '],
    ['a tab for indentation', 'a:\n\tb: 1\n', 'line 2 is not valid YAML: '],
    ['a quote that is not closed', 'a: "b\n', 'line 2 is not valid YAML: '],
    ['less indentation than before', 'a:\n    b: 1\n  c: 2\n', 'line 3 is not valid YAML: '],
    ['an unknown escape', 'a: "\\q"\n', 'line 1 is not valid YAML: '],
  ])('%s is refused with its line', async (_, content, reason) => {
    expect(await configRefusal(content)).toContain(invalid('config.yml', reason))
  })

  test('in every file, whatever its folder and however its extension is written', async () => {
    for (const name of ['nodes/a.yml', 'extra/b.yaml', 'C.YML']) {
      expect(await refusal(await bundleOf({ name, content: 'a: [' }))).toContain(`${name}: line 1 is not valid YAML`)
    }
    expect(await refusal(await bundleOf({ name: 'a.txt', content: 'a: [' }))).toBe('accepted: a.txt config.yml')
  })

  test('the right one of many files is named', async () => {
    const files = Array.from({ length: 50 }, (_, i) => ({
      name: `nodes/${i}.yml`,
      content: i === 31 ? 'a: [' : 'a: 1',
    }))
    expect(await refusal(await bundleOf(...files))).toContain('nodes/31.yml: line 1 is not valid YAML')
  })
})

describe('a YAML file has one mapping', () => {
  test.each([
    ['', 'line 1 is not a mapping at its top'],
    ['# nothing\n', 'line 1 is not a mapping at its top'],
    ['- a\n- b\n', 'line 1 is not a mapping at its top'],
    ['text\n', 'line 1 is not a mapping at its top'],
    ['a: 1\n---\nb: 2\n', 'line 2 has a second YAML document'],
    ['a: 1\n...\n---\npki: {key: x}\n', 'line 3 has a second YAML document'],
  ])('%j is refused', async (content, reason) => {
    expect(await configRefusal(content)).toBe(invalid('config.yml', reason))
  })

  test('a document mark around the only one is fine', async () => {
    expect(await configRefusal('---\ncipher: aes\n...\n')).toBe('accepted: config.yml')
  })
})

describe('a YAML file says one thing to every reader', () => {
  test.each([
    ['a: 1\nb: 2\na: 3\n', 'line 3 has the key a twice'],
    ['a: {b: 1, "\\x62": 2}\n', 'line 1 has the key b twice'],
    ['a:\n  - x: 1\n    y: 1\n    x: 2\n', 'line 4 has the key x twice'],
    ['a: &x {b: 1}\nc:\n  <<: *x\n', 'line 3 has a merge key (<<): write the settings out'],
    ['? [a]\n: 1\n', 'line 1 has a key that is not a plain word'],
    [': a\n', 'line 1 has a key that is not a plain word'],
    ['a: &x b\n*x : 1\n', 'line 2 has a key that is not a plain word'],
    ['%YAML 1.1\n---\na: 1\n', 'line 1 has a YAML directive'],
    ['%TAG ! tag:x,1:\n---\na: 1\n', 'line 1 has a YAML directive'],
    ['a: !!binary cGtp\n', 'line 1 has the tag tag:yaml.org,2002:binary; tags are not allowed'],
    ['!!binary cGtp: {key: x}\n', 'line 1 has the tag tag:yaml.org,2002:binary; tags are not allowed'],
    ['a: !x 1\n', 'line 1 has the tag !x; tags are not allowed'],
    ['a: !!str 1\n', 'line 1 has the tag tag:yaml.org,2002:str; tags are not allowed'],
    ['a: 1\n# comment\u2028pki: {key: x}\n', 'line 2 has the character U+2028, which YAML readers take differently'],
    ['# comment\u0085pki: {key: x}\n', 'line 1 has the character U+0085, which YAML readers take differently'],
    ['a: 1 # comment\rpki: {key: x}\n', 'line 1 has the character U+000D, which YAML readers take differently'],
    ['a: 1\nb: "\0"\n', 'line 2 has the character U+0000, which YAML readers take differently'],
    ['a: \ufeffb\n', 'line 1 has the character U+FEFF, which YAML readers take differently'],
  ])('%j is refused', async (content, reason) => {
    expect(await configRefusal(content)).toBe(invalid('config.yml', reason))
  })

  test('bytes that are not UTF-8 are refused with their line', async () => {
    const broken = Buffer.concat([Buffer.from('a: ü\nb: '), Buffer.from([0xc3, 0x28]), Buffer.from('\nc: 1\n')])
    expect(await configRefusal(broken)).toBe(invalid('config.yml', 'line 2 is not valid UTF-8'))
    const utf16 = Buffer.from('\ufeffa: 1\n', 'utf16le')
    expect(await configRefusal(utf16)).toBe(invalid('config.yml', 'line 1 is not valid UTF-8'))
  })

  test('a byte order mark at the start, Windows line ends and text of any language are fine', async () => {
    expect(await configRefusal('\ufefftun:\r\n  mtu: 1300\r\n  dev: "東京 🗼"\r\n')).toBe('accepted: config.yml')
  })
})

describe('aliases', () => {
  test('are fine in moderation', async () => {
    expect(await configRefusal('relay: {relays: &x ["10.42.0.1"]}\nlighthouse: {hosts: *x}\n')).toBe(
      'accepted: config.yml',
    )
  })

  test('the billion laughs are refused', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(10)}]`)
    expect(await configRefusal(`l0: &l0 lol\n${levels.join('\n')}\n`)).toBe(
      invalid('config.yml', 'line 7 has more than 150000 values, aliases replaced'),
    )
  })

  test.each([
    ['a: *x\nb: &x 1\n', 'line 1 has the alias *x before its anchor'],
    ['a: &x\n  b: *x\n', 'line 2 has the alias *x inside of what it stands for'],
    ['a: &x [1, [*x]]\n', 'line 1 has the alias *x inside of what it stands for'],
  ])('%j is refused', async (content, reason) => {
    expect(await configRefusal(content)).toBe(invalid('config.yml', reason))
  })
})

describe('the bounds of a YAML file', () => {
  test('1 MiB is the most, and a blocklist of that size is fine', async () => {
    const line = `    - ${'0123456789abcdef'.repeat(4)}\n`
    const head = 'pki:\n  blocklist:\n'
    const rows = Math.floor((1024 * 1024 - head.length) / line.length)
    const full = `${head}${line.repeat(rows)}`
    expect(await configRefusal(full.padEnd(1024 * 1024, ' '))).toBe('accepted: config.yml')
    expect(await configRefusal(full.padEnd(1024 * 1024 + 1, ' '))).toBe(
      'LimitError: config.yml: is a YAML file larger than 1 MiB',
    )
  })

  test.each([
    ['a line of ones', `a: [${'1,'.repeat(400_000)}1]`, 'line 1 has more than 150000 YAML tokens'],
    ['many keys', Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'), 'has more than 150000 YAML tokens'],
    ['many empty lines', `a: 1\n${'\n'.repeat(1_000_000)}`, 'has more than 150000 YAML tokens'],
    ['brackets', '['.repeat(500_000), 'line 1 is nested deeper than 64 levels'],
    ['dashes', '- '.repeat(500_000), 'line 1 is nested deeper than 64 levels'],
    ['question marks', '? '.repeat(500_000), 'line 1 is nested deeper than 64 levels'],
  ])('%s end early', async (_, content, reason) => {
    expect(await configRefusal(content)).toContain(reason)
  })

  test('an archive of YAML files that are each within them is bounded as a whole', async () => {
    const content = `a: 1\n${'#\n'.repeat(70_000)}`
    const files = Array.from({ length: 15 }, (_, i) => ({ name: `nodes/${i}.yml`, content }))
    expect(await refusal(await bundleOf(...files))).toBe('LimitError: the archive has more than 2000000 YAML tokens')
  })
})
