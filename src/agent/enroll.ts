import { readFile, rm } from 'node:fs/promises'

import { formatPublicKey, generateNodeKeyPair, parseNodeKeyPair } from '../pki/keys.ts'
import { ControlPlaneApi, type ClusterOfToken } from './server/api.ts'
import { assertOurs } from './certificates.ts'
import { ClusterFolder, enrolledClusters, type Enrollment } from './enrollment-state.ts'
import { AgentError, UnauthenticatedError } from './errors.ts'
import { neighboursOf, portClashes } from './nebula/neighbours.ts'
import { isMissing, makeFolder, writeWhole } from '../base/files.ts'
import { overlaps, parseNetwork } from '../base/networks.ts'

export interface EnrollOptions {
  /** Of the control plane. */
  readonly server: string
  /** An enrollment key (`ore_…`), a cluster token (`orc_…`), or the token of a node that an admin created (`orn_…`). */
  readonly token: string
  readonly name: string
  readonly groups: readonly string[]
  readonly overlayIp: string | null
  readonly stateDir: string
  readonly nebulaVersion: string | null
  readonly insecureHttp: boolean
}

/**
 * Makes this machine a node: generates its key pair, sends the public key, and keeps the answer. The private key of a
 * failed attempt is used again.
 * @throws AgentError that says what to do
 */
export async function enroll(options: EnrollOptions): Promise<{ enrollment: Enrollment; folder: ClusterFolder }> {
  const server = serverAddress(options)
  const { token, stateDir } = options
  const api = new ControlPlaneApi(server, token)
  const cluster = await api.clusterOfToken().catch((error: unknown) => {
    if (!(error instanceof UnauthenticatedError)) throw error
    throw new AgentError(wordsFor(token))
  })
  if (cluster === null)
    throw new AgentError('This is no enrollment key (ore_…), and no token of a cluster (orc_…) or a node (orn_…).')
  const { clusterId } = cluster
  const folder = new ClusterFolder(stateDir, clusterId)
  if ((await folder.read('agent.json')) !== null) {
    throw new AgentError(
      `This machine is enrolled in that cluster already (${folder.path}). Remove it first: orrery agent leave --cluster ${clusterId} --yes`,
    )
  }
  await assertNetworkIsFree(stateDir, cluster)
  await assertPortIsFree(folder, cluster)
  await makeFolder(folder.file('versions'))
  const key = await keyIn(folder)
  const { publicKey } = parseNodeKeyPair(key)
  const given = await ask(api, options, formatPublicKey(publicKey))
  assertOurs(given, { clusterId, nodeId: null, publicKey })
  const enrollment: Enrollment = {
    format: 1,
    server,
    clusterId: given.clusterId,
    nodeId: given.node.id,
    name: given.node.name,
    networkCidr: given.networkCidr,
    bundleSigningKey: given.bundleSigningKey,
  }
  await folder.keep(enrollment, { token: given.token, key, certificate: given.certificate })
  return { enrollment, folder }
}

/** The control plane does not say why it refuses a credential. */
const wordsFor = (token: string): string =>
  token.startsWith('ore_')
    ? 'This enrollment key is not valid, or not any more: it was mistyped, used up or revoked, or it has expired. Get a new one.'
    : 'The control plane does not know this token: it was mistyped, or rotated. Get a new one.'

/**
 * Two overlays with the same addresses on one machine break each other: a packet goes to whichever was there first.
 * @throws AgentError that says what to do
 */
async function assertNetworkIsFree(stateDir: string, { networkCidr }: ClusterOfToken): Promise<void> {
  const wanted = parseNetwork(networkCidr)
  for (const folder of await enrolledClusters(stateDir)) {
    const { clusterId, networkCidr: taken, name } = await folder.enrollment()
    const known = parseNetwork(taken)
    if (!wanted || !known || !overlaps(wanted, known)) continue
    throw new AgentError(
      `The cluster's network, ${networkCidr}, overlaps ${taken}, which this machine is in already as ${name} (cluster ` +
        `${clusterId}): it could not tell their packets apart. Leave that one first (orrery agent leave --cluster ` +
        `${clusterId} --yes), or ask for a cluster with another network.`,
    )
  }
}

/**
 * Two lighthouses on one machine need different ports. What only the configuration says, such as another port or the
 * name of the tunnel's device, is compared when the configuration arrives (neighbours.ts).
 * @throws AgentError that says what to do
 */
async function assertPortIsFree(folder: ClusterFolder, { lighthousePort }: ClusterOfToken): Promise<void> {
  const wanted = { port: lighthousePort, host: '0.0.0.0' }
  for (const { who, ...other } of await neighboursOf(folder)) {
    if (!portClashes(wanted, other)) continue
    throw new AgentError(
      `This node is a lighthouse on UDP port ${lighthousePort}, which this machine uses already as ${who}: give one of ` +
        'the two another port (lighthousePort), or leave the other cluster first.',
    )
  }
}

async function ask(api: ControlPlaneApi, options: EnrollOptions, publicKey: string) {
  const { token, name, groups, overlayIp, nebulaVersion } = options
  // A node that an admin created has its name, groups and address; it sends its key and nothing else.
  if (token.startsWith('orn_')) return { ...(await api.renew(publicKey)), token }
  return api.enroll({
    name,
    publicKey,
    ...(groups.length === 0 ? {} : { groups }),
    ...(overlayIp === null ? {} : { overlayIp }),
    ...(nebulaVersion === null ? {} : { nebulaVersion }),
  })
}

/** The key of an earlier attempt, or a new one; it is on the disk before the public key is sent anywhere. */
async function keyIn(folder: ClusterFolder): Promise<string> {
  try {
    return await readFile(folder.keyFile, 'utf8')
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const { privateKeyPem } = generateNodeKeyPair()
  await writeWhole(folder.keyFile, privateKeyPem)
  return privateKeyPem
}

/** Removes a cluster from this machine; the control plane is not told. */
export const leave = (folder: ClusterFolder): Promise<void> => rm(folder.path, { recursive: true, force: true })

/** @throws AgentError for an invalid address, and for one over which tokens would travel unencrypted */
function serverAddress({ server, insecureHttp }: EnrollOptions): string {
  const url = URL.canParse(server) ? new URL(server) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new AgentError(`--server ${server}: an http or https URL is needed, such as https://orrery.example.com`)
  }
  if (url.username !== '' || url.password !== '') throw new AgentError('--server must not hold a user or a password.')
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !isLocal && !insecureHttp) {
    throw new AgentError(
      `${server} is not encrypted: whoever listens in has the node's token. Use https, or say --insecure-http.`,
    )
  }
  return (url.origin + url.pathname).replace(/\/+$/, '')
}
