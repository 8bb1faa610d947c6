import { gunzipSync } from 'node:zlib'

import { describe, expect, test } from '@jest/globals'

import { compileBundle } from '../../src/domain/bundles/compile/compile.ts'
import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { readBundle } from '../../src/domain/bundles/read/read.ts'
import { BundleShelf } from '../../src/domain/bundles/read/shelf.ts'
import { decodeBundle, slicePartsOf, type DecodedBundle } from '../../src/domain/bundles/read/slices.ts'
import { readSlice } from '../../src/nebula/bundle/slice-archive.ts'
import { verifySlice } from '../../src/nebula/bundle/slice.ts'
import { bundleKey, clusterId, idOf, inputOf, nodeOf } from './cluster.ts'

const nodes = [nodeOf(0), nodeOf(1), nodeOf(2, { certificate: null }), nodeOf(3)]
const shared = { 'config.yml': null, further: [{ path: 'extra/motd.txt', content: Buffer.from('hello\n') }] }
const { data } = compileBundle(inputOf(nodes, { shared }))

async function decoded(archive: Uint8Array = data): Promise<DecodedBundle> {
  const bundle = await decodeBundle(archive)
  if (bundle === null) throw new Error('a compiled bundle was not recognised')
  return bundle
}

const sliceOf = (bundle: DecodedBundle, nodeId: string): Uint8Array | null => {
  const parts = slicePartsOf(bundle, nodeId)
  return parts && Buffer.concat(parts)
}

const owner = (index: number) => ({ publicKey: bundleKey.publicKey, clusterId, nodeId: idOf(index) })

describe('a slice', () => {
  test('is what its node can verify: the shared files and its own two', async () => {
    const bundle = await decoded()
    for (const index of [0, 1, 3]) {
      const slice = sliceOf(bundle, idOf(index)) ?? new Uint8Array()
      const verified = verifySlice(await readSlice(slice), owner(index))
      expect(verified.manifest.version).toBe(7)
      expect(verified.nodeConfig).toMatch(`# node-${index}\n`)
      expect(verified.certificate).toBe(nodes[index]?.certificate)
      expect([...verified.furtherFiles.keys()]).toEqual(['extra/motd.txt'])
    }
  })

  test('tells nothing of the other nodes', async () => {
    const files = await readSlice(sliceOf(await decoded(), idOf(1)) ?? new Uint8Array())
    const text = [...files.values()].map((content) => Buffer.from(content).toString()).join()
    expect(files.size).toBe(8)
    expect(text).not.toContain('node-0')
    expect(text).not.toContain(idOf(0))
  })

  test("is not another node's", async () => {
    const files = await readSlice(sliceOf(await decoded(), idOf(1)) ?? new Uint8Array())
    expect(() => verifySlice(files, owner(0))).toThrow(`proof.json: node: is "${idOf(1)}", not this node, ${idOf(0)}`)
  })

  test('is the same each time, and one gzip', async () => {
    const [one, other] = [sliceOf(await decoded(), idOf(1)), sliceOf(await decoded(), idOf(1))]
    expect(one).toEqual(other)
    expect(gunzipSync(one ?? new Uint8Array()).length % 512).toBe(0)
  })

  test('does not exist for a node that is not in the bundle', async () => {
    const bundle = await decoded()
    expect([sliceOf(bundle, idOf(2)), sliceOf(bundle, idOf(9)), sliceOf(bundle, '__proto__')]).toEqual([
      null,
      null,
      null,
    ])
  })
})

describe('a stored bundle', () => {
  test('that was uploaded and never compiled has no slices', async () => {
    expect(await decodeBundle(await packBundle([{ path: 'config.yml', content: 'tun: {}\n' }]))).toBeNull()
  })

  test('is not served when its nodes are not those of its manifest', async () => {
    const files: { path: string; content: Uint8Array }[] = []
    for await (const file of readBundle(data)) files.push(file)
    const changed = files.map(({ path, content }) => ({
      path,
      content: path === `certs/${idOf(1)}.crt` ? Buffer.from('another') : content,
    }))
    await expect(decodeBundle(await packBundle(changed))).rejects.toThrow('has other nodes than its manifest says')
    const fewer = files.filter(({ path }) => path !== `certs/${idOf(1)}.crt`)
    await expect(decodeBundle(await packBundle(fewer))).rejects.toThrow(`has no certificate for the node ${idOf(1)}`)
  })
})

describe('the shelf', () => {
  test('reads a version once, however many ask for it at once and later', async () => {
    const loads: string[] = []
    const shelf = new BundleShelf((cluster, version) => {
      loads.push(`${cluster}/${version}`)
      return Promise.resolve(data)
    })
    const all = await Promise.all([shelf.get('a', 7), shelf.get('a', 7), shelf.get('b', 7)])
    await shelf.get('a', 7)
    expect(loads).toEqual(['a/7', 'b/7'])
    expect(all[0]).toBe(all[1])
  })

  test('keeps what was used last, within its bound', async () => {
    const loads: string[] = []
    const { bytes } = await decoded()
    const shelf = new BundleShelf((cluster) => {
      loads.push(cluster)
      return Promise.resolve(data)
    }, 2.5 * bytes)
    for (const cluster of ['a', 'b', 'a', 'c', 'a', 'b']) await shelf.get(cluster, 7)
    expect(loads).toEqual(['a', 'b', 'c', 'b'])
    expect(shelf.bytes).toBe(2 * bytes)
    shelf.drop('a')
    expect(shelf.bytes).toBe(bytes)
  })

  test('serves what has no room, and keeps nothing of it', async () => {
    const shelf = new BundleShelf(() => Promise.resolve(data), 10)
    expect((await shelf.get('a', 7))?.version).toBe(7)
    expect(shelf.bytes).toBe(0)
  })

  test('asks again for what was not there, or failed', async () => {
    const answers: (() => Promise<Uint8Array | null>)[] = [
      () => Promise.resolve(null),
      () => Promise.reject(new Error('gone')),
      () => Promise.resolve(data),
    ]
    const shelf = new BundleShelf(() => answers.shift()?.() ?? Promise.resolve(null))
    expect(await shelf.get('a', 7)).toBeNull()
    await expect(shelf.get('a', 7)).rejects.toThrow('gone')
    expect((await shelf.get('a', 7))?.version).toBe(7)
  })
})
