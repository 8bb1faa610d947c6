import { createHash } from 'node:crypto'

import { expect, test } from '@jest/globals'

import { writeManifest, type BundleManifest } from '../../src/nebula/bundle/manifest.ts'
import { generateBundleSigningKey, signManifest } from '../../src/nebula/bundle/signing.ts'
import { MerkleTree, nodeLeaf } from '../../src/nebula/bundle/merkle.ts'
import { SliceError, verifySlice } from '../../src/nebula/bundle/slice.ts'

const key = generateBundleSigningKey()
const clusterId = '7f4f4b1e-52a5-4c7e-8d0a-0c5c3d1d9a10'
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

const nodes = ['a', 'b', 'c'].map((name) => ({
  node: `node ${name}`,
  yml: `# ${name}\n`,
  crt: `certificate ${name}\n`,
}))
const tree = MerkleTree.of(
  nodes.map(({ node, yml, crt }) => nodeLeaf({ node, config: hashOf(yml), certificate: hashOf(crt) })),
)
const shared = { 'ca.crt': 'the CA\n', 'config.yml': 'pki: {}\n', 'extra/motd.txt': 'hello\n' }

const manifest: BundleManifest = {
  format: 1,
  version: 7,
  cluster: clusterId,
  createdAt: '2026-01-31T12:00:00.000Z',
  minimumNebulaVersion: '1.6.0',
  files: Object.fromEntries(
    Object.entries(shared).map(([path, text]) => [path, { sha256: hashOf(text), size: Buffer.byteLength(text) }]),
  ),
  nodes: { count: 3, root: tree.root },
}

const signed = (fields: object): Record<string, string> => {
  const text = writeManifest({ ...manifest, ...fields })
  return { 'manifest.json': text, 'manifest.sig': `${signManifest(text, key.privateKey)}\n` }
}

/** The slice of the node at this place. */
const sliceOf = (index: number): Record<string, string> => ({
  ...signed({}),
  ...shared,
  'node.yml': nodes[index]?.yml ?? '',
  'node.crt': nodes[index]?.crt ?? '',
  'proof.json': JSON.stringify({ node: nodes[index]?.node, index, path: tree.proof(index) }),
})

const without = (path: string): Record<string, string> =>
  Object.fromEntries(Object.entries(sliceOf(1)).filter(([name]) => name !== path))

const verify = (files: Record<string, string>, owner: object = {}) =>
  verifySlice(new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])), {
    publicKey: key.publicKey,
    clusterId,
    nodeId: 'node b',
    ...owner,
  })

test('a slice that is what was signed for this node is handed out by its parts', () => {
  const { furtherFiles, ...rest } = verify(sliceOf(1))
  expect(rest).toEqual({
    manifest,
    ca: 'the CA\n',
    config: 'pki: {}\n',
    nodeConfig: '# b\n',
    certificate: 'certificate b\n',
  })
  expect([...furtherFiles].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])).toEqual([
    ['extra/motd.txt', 'hello\n'],
  ])
})

const refused: [string, Record<string, string>, object?][] = [
  [
    'manifest.sig: is not a signature',
    { ...sliceOf(1), 'manifest.json': signed({ version: 8 })['manifest.json'] ?? '' },
  ],
  ['manifest.sig: is not a signature', sliceOf(1), { publicKey: generateBundleSigningKey().publicKey }],
  ['manifest.sig: is missing', without('manifest.sig')],
  ['manifest.json: is missing', without('manifest.json')],
  ['manifest.json: version: must be at least 1', { ...sliceOf(1), ...signed({ version: 0 }) }],
  ['manifest.json: version: must be a whole number', { ...sliceOf(1), ...signed({ version: 1.5 }) }],
  ["manifest.json: cluster: is 7f4f4b1e-52a5-4c7e-8d0a-0c5c3d1d9a10, not this node's", sliceOf(1), { clusterId: 'x' }],
  ['config.yml: is not the file of the manifest: its SHA-256', { ...sliceOf(1), 'config.yml': 'pki: []\n' }],
  ['ca.crt: has 8 bytes, the manifest says 7', { ...sliceOf(1), 'ca.crt': 'the CA!\n' }],
  ['config.yml: is missing', without('config.yml')],
  ['extra/motd.txt: is missing', without('extra/motd.txt')],
  ['extra/sshd.yml: is not in the manifest', { ...sliceOf(1), 'extra/sshd.yml': '' }],
  ['manifest.json: files: has no ca.crt', { ...signed({ files: {} }) }],
  ['proof.json: node: is "node a", not this node, node b', sliceOf(0)],
  ['proof.json: does not fit', { ...sliceOf(1), 'node.crt': 'certificate a\n' }],
  ['proof.json: does not fit', { ...sliceOf(1), 'node.yml': '# a\n' }],
  ['proof.json: does not fit', { ...sliceOf(0), 'proof.json': sliceOf(1)['proof.json'] ?? '' }],
  ['proof.json: does not fit', { ...sliceOf(1), ...signed({ nodes: { count: 2, root: tree.root } }) }],
  ['node.yml: is missing', without('node.yml')],
  ['node.crt: is missing', without('node.crt')],
  ['proof.json: is missing', without('proof.json')],
  ['proof.json: ', { ...sliceOf(1), 'proof.json': '{"node":"node b"}' }],
]

// A row that is shorter than the parameters would make Jest wait for a callback.
test.each(refused.map(([message, files, owner = {}]) => ({ message, files, owner })))(
  'otherwise the file and the rule are named: $message',
  ({ message, files, owner }) => {
    expect(() => verify(files, owner)).toThrow(SliceError)
    expect(() => verify(files, owner)).toThrow(message)
  },
)

test.each([
  ['manifest.json', 10 * 1024 * 1024],
  ['manifest.sig', 100],
  ['proof.json', 16 * 1024],
  ['ca.crt', 256 * 1024],
  ['config.yml', 4 * 1024 * 1024],
  ['node.yml', 1024 * 1024],
  ['node.crt', 256 * 1024],
])('%s is not read when it has more than %p bytes', (file, most) => {
  const verified = () => verify({ ...sliceOf(1), [file]: ' '.repeat(most + 1) })
  expect(verified).toThrow(`${file}: has more than ${most} bytes`)
})
