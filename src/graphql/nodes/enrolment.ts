import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import type { ClusterTrust } from '../../domain/nodes/enrolment.ts'
import { renewNodeCertificate } from '../../domain/signing/node-key.ts'
import { reportNodeStatus } from '../../domain/nodes/node-status.ts'
import { enrolledNodeWarnings } from '../../domain/warnings/nodes.ts'
import { enrollingMachineOf, nodeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { warned, warningsField } from '../changes/change.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'
import { Node } from './nodes.ts'
import { takesAnyText } from '../kit/plain-texts.ts'

const nebulaVersion = 'What `nebula -version` says on the machine, such as `1.9.5`; null when that is not known.'
const keyText =
  'The machine’s X25519 public key, PEM, as `nebula-cert keygen` writes it. The private half stays where it was made.'

/** A node that has its identity, and what it must trust. */
interface Identified {
  readonly node: NodeRow
  readonly trust: ClusterTrust
}

const identityTexts = {
  certificate: 'The certificate that the cluster’s CA signed, PEM; Nebula’s `pki.cert`.',
  caCertificate: 'The CAs that the node trusts, PEM; Nebula’s `pki.ca`. Two while the CA is being rotated.',
  networkCidr: 'The overlay network.',
  bundleSigningKey: 'What the cluster’s bundles are verified with: Ed25519, 32 bytes in base64.',
  clusterId: 'The cluster’s id.',
}

builder.relayMutationField(
  'enrollNode',
  {
    description: 'A machine that wants to be a node.',
    inputFields: (t) => ({
      name: t.string({ required: true, description: 'Unique in the cluster; 1 to 253 bytes of UTF-8.' }),
      publicKey: t.string({ required: true, description: keyText }),
      groups: t.stringList({
        description: 'Groups for its certificate, out of the cluster’s `enrollGroups`; none when null.',
      }),
      overlayIp: t.field({
        type: 'IP',
        description: 'The address in the overlay that it shall have; the lowest free one when null.',
      }),
      nebulaVersion: t.string({ description: nebulaVersion }),
    }),
  },
  {
    description:
      'Makes a node of the machine that holds the cluster token. For enrolling machines only. Bumps `configVersion`.',
    authScopes: { enrollingMachine: true },
    errors: outcome('enrollNode', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: async (_root, { input }, context) => {
      const { scope, clusterId } = enrollingMachineOf(context)
      const enrolled = await context.enrolments.enroll(scope, clusterId, given(input))
      return { ...enrolled, ...warned(context, () => enrolledNodeWarnings(enrolled.node)) }
    },
  },
  {
    description: 'The machine is a node now.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The new node.', resolve: ({ node }) => node }),
      token: t.string({
        description: 'The node token, `orn_…`, with which its agent signs in. It is shown here and never again.',
        resolve: ({ token }) => token,
      }),
      certificate: t.string({ description: identityTexts.certificate, resolve: certificateOf }),
      caCertificate: t.string({
        description: identityTexts.caCertificate,
        resolve: ({ trust }) => trust.caCertificate,
      }),
      networkCidr: t.field({
        type: 'CIDR',
        description: identityTexts.networkCidr,
        resolve: ({ trust }) => trust.networkCidr,
      }),
      bundleSigningKey: t.string({
        description: identityTexts.bundleSigningKey,
        resolve: ({ trust }) => trust.bundleSigningKey,
      }),
      clusterId: t.field({
        type: 'UUID',
        description: identityTexts.clusterId,
        resolve: ({ trust }) => trust.clusterId,
      }),
      warnings: warningsField(t),
    }),
  },
)

builder.relayMutationField(
  'renewNodeCertificate',
  {
    description: 'The key that the node wants a certificate for.',
    inputFields: (t) => ({
      publicKey: t.string({ required: true, description: keyText }),
      nebulaVersion: t.string({ description: nebulaVersion }),
    }),
  },
  {
    description:
      'Signs the certificate of the node that calls: a new one for the same key, or the first one, or one for a new key. For nodes, each for itself. Bumps `configVersion` when the key is new, and then revokes the certificate before.',
    authScopes: { node: true },
    errors: outcome('renewNodeCertificate', ValidationError, NotFoundError, ConflictError),
    resolve: (_root, { input }, context) => {
      const { scope, nodeId } = nodeOf(context)
      return renewNodeCertificate(scope, context.vault, nodeId, given(input))
    },
  },
  {
    description: 'The node has a certificate for its key.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The node as it is now.', resolve: ({ node }) => node }),
      certificate: t.string({ description: identityTexts.certificate, resolve: certificateOf }),
      caCertificate: t.string({
        description: identityTexts.caCertificate,
        resolve: ({ trust }) => trust.caCertificate,
      }),
      networkCidr: t.field({
        type: 'CIDR',
        description: identityTexts.networkCidr,
        resolve: ({ trust }) => trust.networkCidr,
      }),
      bundleSigningKey: t.string({
        description: identityTexts.bundleSigningKey,
        resolve: ({ trust }) => trust.bundleSigningKey,
      }),
      clusterId: t.field({
        type: 'UUID',
        description: identityTexts.clusterId,
        resolve: ({ trust }) => trust.clusterId,
      }),
    }),
  },
)

builder.relayMutationField(
  'reportNodeStatus',
  {
    description: 'What the node’s agent has to say.',
    inputFields: (t) => ({
      runningConfigVersion: t.int({
        description: 'The version of the configuration that Nebula runs; null leaves what was reported before.',
      }),
      nebulaVersion: t.string({
        description: 'What `nebula -version` says; null leaves what was reported before.',
      }),
      lastError: t.string({
        description: 'Why the newest version does not run, cut to 2000 characters; null when nothing is wrong.',
        // What a program wrote before it died is worth more than its form.
        extensions: takesAnyText,
      }),
    }),
  },
  {
    description:
      'Reports what a node runs, and that it is there. Kept in memory and written together with other nodes’ reports about a second later: other queries show it then, and if the server dies before, the agent’s next report says it again. For nodes, each for itself.',
    authScopes: { node: true },
    errors: outcome('reportNodeStatus', ValidationError, NotFoundError),
    resolve: (_root, { input }, context) => {
      const session = nodeOf(context)
      return reportNodeStatus(session.scope, context.presence, session, given(input))
    },
  },
  {
    description: 'The report was taken down.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The node with what it has reported.', resolve: (node) => node }),
    }),
  },
)

function certificateOf({ node: { certificate, id } }: Identified): string {
  if (certificate === null) throw new Error(`node ${id} was signed and has no certificate`)
  return certificate
}
