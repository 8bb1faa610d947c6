import { createHash } from 'node:crypto'

import { describe, expect, test } from '@jest/globals'

import { MerkleTree, merkleRoot, nodeLeaf, verifyInclusion } from '../../src/nebula/bundle/merkle.ts'

/** The leaves that implementations of RFC 6962 test themselves with, and the roots of the first 0, 1, 2 … of them. */
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => Buffer.from(hex, 'hex'),
)
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const hash = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest()

describe('the tree', () => {
  test.each(roots.map((root, count) => [count, root]))('of %i leaves has the root of RFC 6962', (count, root) => {
    expect(merkleRoot(leaves.slice(0, Number(count)))).toBe(root)
  })

  test('is the one that is written down by hand', () => {
    const [zero, one] = [Uint8Array.of(0), Uint8Array.of(1)]
    const [a, b, c] = ['a', 'b', 'c'].map((text) => hash(zero, Buffer.from(text))) as [Buffer, Buffer, Buffer]
    const [abc, ab] = [['a', 'b', 'c'].map((text) => Buffer.from(text)), hash(one, a, b)]
    expect(merkleRoot(abc)).toBe(hash(one, ab, c).toString('hex'))
    expect([0, 1, 2].map((index) => MerkleTree.of(abc).proof(index))).toEqual([
      [b.toString('hex'), c.toString('hex')],
      [a.toString('hex'), c.toString('hex')],
      [ab.toString('hex')],
    ])
  })
})

describe('a proof', () => {
  const many = Array.from({ length: 67 }, (_, index) => Buffer.from(`leaf ${index}`))

  test('is accepted for every leaf of every count, and for no other place', () => {
    for (let count = 1; count <= many.length; count += 1) {
      const tree = MerkleTree.of(many.slice(0, count))
      for (let index = 0; index < count; index += 1) {
        const claim = { leaf: many[index] ?? Buffer.alloc(0), index, count, path: tree.proof(index), root: tree.root }
        expect([count, index, verifyInclusion(claim)]).toEqual([count, index, true])
        expect(verifyInclusion({ ...claim, index: (index + 1) % count })).toBe(count === 1)
        expect(verifyInclusion({ ...claim, leaf: Buffer.from('another') })).toBe(false)
      }
    }
  })

  const tree = MerkleTree.of(many)
  const good = { leaf: Buffer.from('leaf 5'), index: 5, count: 67, path: tree.proof(5), root: tree.root }

  test.each([
    ['a hash too many', { path: [...good.path, good.root] }],
    ['a hash too few', { path: good.path.slice(1) }],
    ['another root', { root: merkleRoot(many.slice(1)) }],
    ['a count that has no such leaf', { count: 5 }],
    ['a negative place', { index: -1 }],
    ['a place that is no whole number', { index: 5.5 }],
    ['a count beyond every tree', { count: 2 ** 40 }],
    ['a hash that is none', { path: ['zz', ...good.path.slice(1)] }],
  ])('with %s is refused', (_, change) => {
    expect(verifyInclusion(good)).toBe(true)
    expect(verifyInclusion({ ...good, ...change })).toBe(false)
  })

  test('does not exist for a leaf that does not', () => {
    expect(() => tree.proof(67)).toThrow(RangeError)
    expect(() => MerkleTree.of([]).proof(0)).toThrow(RangeError)
  })
})

test("a node's leaf is canonical JSON", () => {
  expect(Buffer.from(nodeLeaf({ node: 'n', config: 'c', certificate: 'd' })).toString()).toBe(
    '{"certificate":"d","config":"c","node":"n"}',
  )
})
