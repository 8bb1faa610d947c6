import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import type { ClusterTrust } from '../../domain/nodes/enrollment.ts'
import { renewNodeCertificate } from '../../domain/signing/node-key.ts'
import { reportNodeStatus } from '../../domain/nodes/node-status.ts'
import { enrolledNodeWarnings } from '../../domain/warnings/nodes.ts'
import { enrollingMachineOf, nodeOf } from '../kit/access.ts'
import { tokenField, warningsField } from '../changes/change-fields.ts'
import { warned } from '../changes/change.ts'
import { mutation, type PayloadFields } from '../changes/mutation.ts'
import { Node } from './nodes.ts'
import { takesAnyText } from '../kit/plain-texts.ts'

const nebulaVersion =
  'The version that `nebula -version` prints on the machine, such as `1.9.5`; null when it is not known.'
const keyText =
  'The machine’s X25519 public key, PEM, as `nebula-cert keygen` writes it. The private key never leaves the machine.'

/** A node with its certificate, and the CAs that it must trust. */
interface Identified {
  readonly node: NodeRow
  readonly trust: ClusterTrust
}

/** What a machine runs Nebula and checks bundles with: the same after it enrolled and after it renewed its certificate. */
const identityFields = <Shape extends Identified>(t: PayloadFields<Shape>) => ({
  certificate: t.string({
    description: 'The node’s certificate, signed by the cluster’s CA, PEM: for Nebula’s `pki.cert`.',
    resolve: certificateOf,
  }),
  caCertificate: t.string({
    description:
      'The CAs that the node must trust, PEM: for Nebula’s `pki.ca`. There can be two while the CA is being rotated.',
    resolve: ({ trust }) => trust.caCertificate,
  }),
  networkCidr: t.field({
    type: 'CIDR',
    description: 'The overlay network.',
    resolve: ({ trust }) => trust.networkCidr,
  }),
  bundleSigningKey: t.string({
    description: 'The public key that verifies the cluster’s bundles: Ed25519, 32 bytes in base64.',
    resolve: ({ trust }) => trust.bundleSigningKey,
  }),
  clusterId: t.field({ type: 'UUID', description: 'The cluster’s id.', resolve: ({ trust }) => trust.clusterId }),
})

mutation('enrollNode', {
  description:
    'Makes the machine that holds the cluster token, or an enrollment key, a node of the cluster. With a key, the node gets the key’s groups and labels, and one use of the key is spent.',
  callers: 'enrollingMachine',
  bumps: true,
  input: 'The machine that enrolls.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Unique in the cluster; 1 to 253 bytes of UTF-8.' }),
    publicKey: t.string({ required: true, description: keyText }),
    groups: t.stringList({
      description:
        'Groups for its certificate, chosen from the cluster’s `enrollGroups`; none when null. Those of an enrollment key need not be asked for.',
    }),
    overlayIp: t.field({
      type: 'IP',
      description: 'The node’s overlay address; the lowest free one when null.',
    }),
    nebulaVersion: t.string({ description: nebulaVersion }),
  }),
  errors: [ValidationError, NotFoundError, ConflictError, LimitError],
  resolve: async (input, context) => {
    const enrolled = await context.enrollments.enroll(enrollingMachineOf(context), input)
    return { ...enrolled, ...warned(() => enrolledNodeWarnings(enrolled.node)) }
  },
  done: 'The machine is now a node.',
  payload: (t) => ({
    node: t.field({ type: Node, description: 'The new node.', resolve: ({ node }) => node }),
    token: tokenField(t, 'The node token, `orn_…`, with which its agent signs in.', ({ token }) => token),
    ...identityFields(t),
    warnings: warningsField(t),
  }),
})

mutation('renewNodeCertificate', {
  description:
    'Signs a certificate for the node that calls: a new one for its present key, its first one, or one for a new key. Bumps `configVersion` when the key is new, and then revokes the certificates of the former key.',
  callers: 'node',
  input: 'The key that the certificate is for.',
  fields: (t) => ({
    publicKey: t.string({ required: true, description: keyText }),
    nebulaVersion: t.string({ description: nebulaVersion }),
  }),
  errors: [ValidationError, NotFoundError, ConflictError],
  resolve: (input, context) => {
    const { scope, nodeId } = nodeOf(context)
    return renewNodeCertificate(scope, context.vault, nodeId, input)
  },
  done: 'The node has a certificate for its key.',
  payload: (t) => ({
    node: t.field({ type: Node, description: 'The node as it is now.', resolve: ({ node }) => node }),
    ...identityFields(t),
  }),
})

mutation('reportNodeStatus', {
  description:
    'Reports which version a node runs, and that the node is alive. The report is kept in memory and written about a second later, together with those of other nodes. Other queries show it from then on. If the server dies before that, the agent’s next report makes up for it.',
  callers: 'node',
  input: 'The report of the node’s agent.',
  fields: (t) => ({
    runningConfigVersion: t.int({
      description:
        'The version of the configuration that Nebula runs; null keeps the version that was reported before.',
    }),
    nebulaVersion: t.string({
      description: 'The version that `nebula -version` prints; null keeps the one that was reported before.',
    }),
    lastError: t.string({
      description: 'Why the newest version does not run, truncated to 2000 characters; null when nothing is wrong.',
      // The last output of a program that failed must get through, even if it is no plain text.
      extensions: takesAnyText,
    }),
  }),
  errors: [ValidationError, NotFoundError],
  resolve: (input, context) => {
    const session = nodeOf(context)
    return reportNodeStatus(session.scope, context.presence, session, input)
  },
  done: 'The report was accepted.',
  payload: (t) => ({
    node: t.field({
      type: Node,
      description: 'The node, including what it has just reported.',
      resolve: (node) => node,
    }),
  }),
})

function certificateOf({ node: { certificate, id } }: Identified): string {
  if (certificate === null) throw new Error(`node ${id} was signed and has no certificate`)
  return certificate
}
