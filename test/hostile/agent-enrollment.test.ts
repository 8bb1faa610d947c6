import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { enroll } from '../../src/agent/enroll.ts'
import { createCa } from '../../src/pki/ca.ts'
import { generateNodeKeyPair, parsePublicKey, type NodePublicKey } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'

const clusterId = '3f0e9d3c-5f0e-4b53-9d5c-2d6a6c8b7a11'
const elsewhere = '3f0e9d3c-5f0e-4b53-9d5c-2d6a6c8b7a12'
const now = Date.now()
const days = (count: number) => new Date(now + count * 86_400_000)
const none = { networks: [], unsafeNetworks: [], groups: [] }
const newCa = () => createCa({ version: 1, name: 'acme', notBefore: days(-1), notAfter: days(99), ...none })
const [ca, stranger] = [newCa(), newCa()]

/** A certificate for a key. */
const sign = (publicKey: NodePublicKey, { signer = ca, network = '10.42.0.9/16' } = {}): string =>
  signNode(signer, {
    ...{ version: 1, name: 'laptop', networks: [network], unsafeNetworks: [], groups: [], publicKey },
    notBefore: days(0),
    notAfter: days(30),
  }).pem

/** What an honest control plane gives the machine of a key. */
const honest = (publicKey: NodePublicKey) => ({
  __typename: 'EnrollNodePayload',
  node: { id: elsewhere, name: 'laptop' },
  certificate: sign(publicKey),
  caCertificate: ca.certificate.pem,
  networkCidr: '10.42.0.0/16',
  bundleSigningKey: `${'A'.repeat(43)}=`,
  clusterId,
  token: `orn_${'a'.repeat(43)}`,
})
type Given = ReturnType<typeof honest>

describe('a machine that enrolls with a control plane in bad hands', () => {
  let stateDir: string
  let server: Server
  let give: (publicKey: NodePublicKey) => object
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'orrery-enroll-'))
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { query, variables } = JSON.parse(body) as { query: string; variables: { input?: { publicKey: string } } }
        const { input } = variables
        const data =
          input === undefined || !query.startsWith('mutation')
            ? { viewer: { clusterId, networkCidr: '10.42.0.0/16' } }
            : { enrollNode: give(parsePublicKey(input.publicKey)) }
        response.end(JSON.stringify({ data }))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    server.close()
    await rm(stateDir, { recursive: true })
  })

  const enrollHere = () =>
    enroll({
      ...{ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'orc_x', name: 'laptop' },
      ...{ groups: [], overlayIp: null, stateDir, nebulaVersion: null, insecureHttp: false },
    })

  test('keeps what an honest one gives', async () => {
    give = honest
    const { enrollment, folder } = await enrollHere()
    expect(enrollment).toMatchObject({ clusterId, name: 'laptop', networkCidr: '10.42.0.0/16' })
    expect(await readdir(folder.path)).toEqual(expect.arrayContaining(['agent.json', 'host.crt', 'token']))
  })

  test.each<[string, (publicKey: NodePublicKey) => Partial<Record<keyof Given, unknown>>, string | RegExp]>([
    ['another cluster', () => ({ clusterId: elsewhere }), 'it is of cluster'],
    [
      'a certificate for another key',
      () => ({ certificate: sign(generateNodeKeyPair().publicKey) }),
      'for another key',
    ],
    ['a certificate by another CA', (key) => ({ certificate: sign(key, { signer: stranger }) }), 'no CA given here'],
    ['the certificate of a CA', () => ({ certificate: ca.certificate.pem }), 'is a CA’s'],
    [
      'an address of another network',
      (key) => ({ certificate: sign(key, { network: '10.43.0.9/16' }) }),
      'no address in',
    ],
    ['what is no certificate', () => ({ certificate: 'x' }), 'cannot be used'],
    ['a certificate without an end', () => ({ certificate: 'x'.repeat(300_000) }), /certificate/],
    [
      'a name that drives a terminal',
      () => ({ node: { id: elsewhere, name: '\u001b[2J' } }),
      'without control characters',
    ],
    ['a name of two lines', () => ({ node: { id: elsewhere, name: 'a\nb' } }), 'without control characters'],
    ['a name that turns the text round', () => ({ node: { id: elsewhere, name: '\u202egnp' } }), 'control characters'],
    ['an endless name', () => ({ node: { id: elsewhere, name: 'a'.repeat(256) } }), /name/],
    ['a token that is a header of its own', () => ({ token: 'orn_a\r\nx: y' }), 'must be a node token'],
    ['a key that is none', () => ({ bundleSigningKey: 'A' }), 'must be 32 bytes in base64'],
    ['a network that is none', () => ({ networkCidr: '\u001b[2J' }), /networkCidr/],
    ['an id that leads elsewhere', () => ({ clusterId: '../../etc' }), /clusterId/],
  ])('keeps nothing of %s', async (_what, wrong, message) => {
    give = (publicKey) => ({ ...honest(publicKey), ...wrong(publicKey) })
    const error: unknown = await enrollHere().catch((reason: unknown) => reason)
    const { message: said, cause } = error as Error & { cause?: Error }
    expect(`${said}: ${cause?.message ?? ''}`).toMatch(message)
    // The key is its own, for the next attempt.
    expect((await readdir(join(stateDir, clusterId))).sort()).toEqual(['host.key', 'versions'])
  })
})
