import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

/** A key pair of an identity provider. */
export interface ProviderKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

/** A real identity provider on the loopback, as far as Orrery uses it: a discovery document and a key set. */
export interface Provider {
  readonly issuer: string
  readonly jwksUrl: string
  /** The published keys. */
  keys: ProviderKey[]
  /** Replaces the correct answers: by a status, a body, silence, or a function that writes the answer. */
  fault: { status: number } | { body: string } | 'silence' | ((response: ServerResponse) => void) | null
  /** The issuer in the discovery document, when that is not the provider's address. */
  namedIssuer: string | null
  /** The requested paths since the last call. */
  readonly takeRequests: () => string[]
  readonly close: () => Promise<void>
}

export async function startProvider(): Promise<Provider> {
  let requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    const { fault } = provider
    if (fault === 'silence') return
    if (typeof fault === 'function') {
      fault(response)
      return
    }
    if (fault !== null && 'status' in fault) return void response.writeHead(fault.status, { location: '/' }).end('{}')
    if (fault !== null) return void response.end(fault.body)
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: provider.namedIssuer ?? issuer, jwks_uri: `${issuer}/jwks` },
      '/jwks': { keys: provider.keys.map(({ jwk }) => jwk) },
    }
    response.end(JSON.stringify(documents[request.url ?? '']))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: Provider = {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    keys: [],
    fault: null,
    namedIssuer: null,
    takeRequests() {
      const taken = requests
      requests = []
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return provider
}

export async function newKey(alg: string, kid: string): Promise<ProviderKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** A token of the provider's, with additional fields in its header. */
export async function signAs(key: ProviderKey, claims: Record<string, unknown>, header: object = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
}
