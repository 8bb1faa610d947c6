// How long a cluster's bundle takes to compile, and for how long that blocks the program.
// Run: npx tsx bench/compile.ts
// For comparison, in the same run: the same files through tar-stream and gzip alone, not rendered, hashed or signed.
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'

import { pack } from 'tar-stream'

import { compileInThread } from '../src/domain/bundles/compile/compile-thread.ts'
import type { CompiledBundle, CompileInput } from '../src/domain/bundles/compile/compile.ts'
import { readBundle } from '../src/domain/bundles/read/read.ts'
import { decodeBundle, slicePartsOf } from '../src/domain/bundles/read/slices.ts'
import { watched } from './lib/watched.ts'
import { ca, idOf, inputOf, newCa, nodeOf, signerOf } from '../test/bundle/cluster.ts'

const counts = [100, 1_000, 10_000]

async function timed<T>(work: () => Promise<T> | T): Promise<[result: T, milliseconds: number]> {
  const start = performance.now()
  const result = await work()
  return [result, performance.now() - start]
}

function clusterOf(count: number): CompileInput {
  const nodes = Array.from({ length: count }, (_, index) =>
    nodeOf(index, {
      groups: ['servers'],
      ...(index < 3 ? { isLighthouse: true, lighthousePublicIp: `203.0.113.${index + 1}` } : {}),
      ...(index === 5 ? { isRelay: true } : {}),
      ...(index % 100 === 7 ? { routes: [`192.168.${index % 250}.0/24`] } : {}),
    }),
  )
  return inputOf(nodes)
}

async function withTarStream({ data }: CompiledBundle): Promise<number> {
  const files: { path: string; content: Uint8Array }[] = []
  for await (const file of readBundle(data)) files.push(file)
  const [, milliseconds] = await timed(async () => {
    const tar = pack()
    for (const { path, content } of files) {
      tar.entry({ name: path, mtime: new Date(0) }, Buffer.from(content))
    }
    tar.finalize()
    await pipeline(tar as AsyncIterable<Buffer>, createGzip(), buffer)
  })
  return milliseconds
}

async function measure(count: number) {
  const input = clusterOf(count)
  const compiled = await watched(() => compileInThread('bench', { ...input, signer: signerOf(ca) }))
  const again = await watched(() => compileInThread('bench', { ...input, signer: signerOf(newCa()) }))
  const bundle = compiled.result
  const decoding = await watched(() => decodeBundle(bundle.data))
  const decoded = decoding.result
  if (decoded === null) throw new Error('a compiled bundle was not recognised')
  const [, slices] = await timed(() => {
    for (let index = 0; index < count; index += 1) slicePartsOf(decoded, idOf(index))
  })
  return {
    nodes: count,
    'compile ms': Math.round(compiled.took),
    'loop ms': Math.round(compiled.blocked),
    'tar-stream+gzip ms': Math.round(await withTarStream(bundle)),
    'archive KB': Math.round(bundle.size / 1000),
    'signing all again ms': Math.round(again.took),
    'loop ms ': Math.round(again.blocked),
    'decode ms': Math.round(decoding.took),
    'loop ms  ': Math.round(decoding.blocked),
    'a slice µs': Math.round((slices / count) * 1000),
    'slice bytes': Buffer.concat(slicePartsOf(decoded, idOf(count - 1)) ?? []).byteLength,
  }
}

await compileInThread('bench', clusterOf(10))
const rows = []
for (const count of counts) rows.push(await measure(count))
console.table(rows)
