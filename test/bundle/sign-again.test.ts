import { randomBytes } from 'node:crypto'

import { describe, expect, test } from '@jest/globals'

import { compileInThread, compileThreads } from '../../src/domain/bundles/compile/compile-thread.ts'
import { compileBundle } from '../../src/domain/bundles/compile/compile.ts'
import { LimitError } from '../../src/base/errors.ts'
import { parseCertificates } from '../../src/pki/certificate.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { verifyNode } from '../../src/pki/verify.ts'
import { ca, idOf, inputOf, newCa, nodeOf, signerOf } from './cluster.ts'

const next = newCa()
const nodes = [
  nodeOf(0, { routes: ['192.168.1.0/24'], groups: ['web'] }),
  nodeOf(1),
  nodeOf(2, { certificate: null }),
  nodeOf(3, { publicKey: null }),
]
const now = new Date('2026-06-01T12:00:00Z')

describe('when the CA is another one', () => {
  test('every node that holds a certificate is given a new one, of the new CA', () => {
    const { resigned, problems, nodeCount } = compileBundle(inputOf(nodes, { signer: signerOf(next) }))
    expect(problems).toEqual([])
    expect(nodeCount).toBe(3)
    expect(resigned.map(({ nodeId, previousFingerprint }) => [nodeId, previousFingerprint])).toEqual(
      [0, 1].map((index) => [idOf(index), nodes[index]?.certificateFingerprint]),
    )
    const [first] = resigned
    const certificate = parseNodeCertificate(first?.certificate ?? '')
    expect(verifyNode(certificate, [next.certificate], now).fingerprint).toBe(next.certificate.fingerprint)
    expect(certificate).toMatchObject({
      name: 'node-0',
      networks: ['10.42.0.1/16'],
      unsafeNetworks: ['192.168.1.0/24'],
      groups: ['web'],
      fingerprint: first?.fingerprint,
      notAfter: new Date('2026-07-01T12:00:00Z'),
    })
    expect(first?.expiresAt).toEqual(certificate.notAfter)
  })

  test('the bundle has the new ones, once', () => {
    const first = compileBundle(inputOf(nodes, { signer: signerOf(next) }))
    const signed = nodes.map((node) => {
      const { certificate = node.certificate } = first.resigned.find(({ nodeId }) => nodeId === node.id) ?? {}
      return { ...node, certificate }
    })
    const second = compileBundle(inputOf(signed, { signer: signerOf(next) }))
    expect(second.resigned).toEqual([])
    expect(second.sha256).toBe(first.sha256)
  })

  test('nobody is signed again by the CA that signed already', () => {
    expect(compileBundle(inputOf(nodes, { signer: signerOf(ca) })).resigned).toEqual([])
  })
})

describe('when the CA refuses', () => {
  test.each([
    ['groups: "web" is not one of the CA\'s: db', newCa(1, { groups: ['db'] })],
    [
      'unsafeNetworks: 192.168.1.0/24 is outside of what the CA allows',
      newCa(1, { unsafeNetworks: ['172.16.0.0/12'] }),
    ],
  ])('the node keeps what it has, and the reason is told: %s', (message, strict) => {
    const { resigned, problems } = compileBundle(inputOf(nodes, { signer: signerOf(strict) }))
    expect(resigned.map(({ nodeId }) => nodeId)).toEqual([idOf(1)])
    expect(problems).toEqual([{ nodeId: idOf(0), message: expect.stringContaining(message) }])
  })

  test('a certificate of version 1 cannot hold an IPv6 route', () => {
    const { problems } = compileBundle(inputOf([nodeOf(4, { routes: ['::/0'] })], { signer: signerOf(next) }))
    expect(problems).toEqual([{ nodeId: idOf(4), message: expect.stringContaining('::/0 is IPv6') }])
  })

  test('a CA that has expired signs nothing; what the bundle says beside is not held up by it', () => {
    const late = inputOf(nodes, { signer: signerOf(next), now: new Date('2050-01-01') })
    const { resigned, problems } = compileBundle(late)
    expect(resigned).toEqual([])
    expect(problems).toEqual(
      nodes
        .slice(0, 2)
        .map(({ id }) => ({ nodeId: id, message: expect.stringMatching(/^validity: the CA .* expired at/) })),
    )
  })
})

describe('when the version is another one', () => {
  test('the certificate file has both: older nodes speak the one, newer nodes the other', () => {
    const { resigned } = compileBundle(inputOf(nodes, { signer: signerOf(ca), certificateVersion: 2 }))
    const [first] = resigned
    const both = parseCertificates(first?.certificate ?? '')
    expect(both.map(({ version }) => version)).toEqual([1, 2])
    expect(both[1]?.fingerprint).toBe(first?.fingerprint)
  })

  test('a CA of version 2 signs its own version alone', () => {
    const { resigned } = compileBundle(inputOf(nodes, { signer: signerOf(newCa(2)), certificateVersion: 2 }))
    expect(parseCertificates(resigned[0]?.certificate ?? '').map(({ version }) => version)).toEqual([2])
  })
})

describe('the thread', () => {
  test('hands back all that was signed, beyond one piece', async () => {
    const many = Array.from({ length: 1203 }, (_, index) => nodeOf(index))
    const strict = newCa(1, { groups: ['db'] })
    const some = many.map((node, index) => (index < 2 ? { ...node, groups: ['web'] } : node))
    const { resigned, problems, nodeCount } = await compileInThread(
      'somebody',
      inputOf(some, { signer: signerOf(strict) }),
    )
    expect([resigned.length, problems.length, nodeCount]).toEqual([1201, 2, 1203])
    await compileThreads.stop()
  })

  test('fails as compiling fails, and goes on', async () => {
    const noise = { 'config.yml': null, further: [{ path: 'noise', content: randomBytes(11 * 1024 * 1024) }] }
    const [broken, large, good] = await Promise.allSettled([
      compileInThread('somebody', inputOf(nodes, { signingKey: 'AAAA' })),
      compileInThread('somebody', inputOf(nodes, { shared: noise })),
      compileInThread('somebody', inputOf(nodes)),
    ])
    expect(broken).toMatchObject({ reason: { message: expect.stringContaining('is not an Ed25519 key in PKCS #8') } })
    expect(large).toMatchObject({ reason: expect.any(LimitError) })
    expect(good).toMatchObject({ status: 'fulfilled', value: { nodeCount: 3 } })
    await compileThreads.stop()
  })

  test('that dies fails what it was doing; the next bundle gets a new one', async () => {
    const first = compileInThread('somebody', inputOf(nodes))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await compileThreads.stop()
    await expect(first).rejects.toThrow('the thread bundle-compile ended with code')
    expect((await compileInThread('somebody', inputOf(nodes))).nodeCount).toBe(3)
    await compileThreads.stop()
  })
})
