import { randomBytes } from 'node:crypto'

import { packBundle } from '../../src/domain/bundles/compile/pack.ts'

/** The attackers' target and credentials. */
export interface Target {
  readonly address: string
  readonly clusterId: string
  /** Credentials of one tenant. */
  readonly admin: string
  readonly node: string
  readonly enrollmentToken: string
}

/** Sends one request and counts its result; the signal aborts it. */
export type Send = (init: { token: string | null; body: BodyInit; type?: string; path?: string }) => Promise<void>

/** One request of an attack, and how many of them are in flight at once. */
export interface Attack {
  readonly atOnce: number
  /** Milliseconds after which the client leaves; null when it waits. */
  readonly patience: number | null
  readonly request: (send: Send, target: Target, round: number) => Promise<void>
}

const json = (query: string, variables: object = {}) => JSON.stringify({ query, variables })

/** Doubles its size with each level. */
function doubling(levels: number, mark: string): string {
  const fragments = Array.from({ length: levels }, (_, level) => {
    const spread = `...${mark}${level + 1} ...${mark}${level + 1}`
    return `fragment ${mark}${level} on Viewer { __typename ${level + 1 < levels ? spread : ''} }`
  })
  return `{ viewer { ...${mark}0 } } ${fragments.join(' ')}`
}

const dryRun = (alias: string) => `${alias}: updateClusterFirewall(input: { clusterId: $id, dryRun: true,
  firewall: { inbound: [{ port: "any", protocol: ANY, host: "any" }], outbound: [] } }) {
  ... on UpdateClusterFirewallPayload { plan { nodeCount fileCount files(first: 50) { path diff } nodes(first: 50) { name action } } } }`

const dryRuns = (count: number) =>
  `mutation ($id: UUID!) { ${Array.from({ length: count }, (_, index) => dryRun(`a${index}`)).join(' ')} }`

const diff = `query ($id: UUID!) { configBundle(clusterId: $id, version: 3) { ${Array.from(
  { length: 20 },
  (_, index) => `a${index}: diff(against: ${1 + (index % 2)}) { fileCount files(first: 50) { path diff } }`,
).join(' ')} } }`

/** A multipart form, as an upload sends it. */
export function uploadOf(
  clusterId: string,
  archive: Uint8Array<ArrayBuffer>,
  map = '{"0":["variables.file"]}',
): FormData {
  const query = `mutation ($id: UUID!, $file: File!) { createConfigBundle(input: { clusterId: $id, archive: $file }) {
    __typename ... on Error { message } } }`
  const form = new FormData()
  form.set('operations', JSON.stringify({ query, variables: { id: clusterId, file: null } }))
  form.set('map', map)
  form.set('0', new File([archive], 'bundle.tar.gz'))
  return form
}

const heavyYaml = await packBundle([
  { path: 'config.yml', content: Buffer.from(`listen:\n  port: 4242\n`) },
  ...Array.from({ length: 8 }, (_, index) => ({
    path: `more-${index}.yml`,
    content: Buffer.from(`a: [${'1,'.repeat(70_000)}1]\n`),
  })),
])
const large = Buffer.concat([Buffer.from('1f8b0800', 'hex'), randomBytes(9.9 * 1024 * 1024)])

/** Every known attack, each with as many requests at once as one machine can send. */
const attacks = {
  'doubling fragments, enrollment token': {
    atOnce: 4,
    patience: null,
    request: (send, { enrollmentToken }, round) =>
      send({ token: enrollmentToken, body: json(doubling(14 + (round % 3), `F${round >> 5}_`)) }),
  },
  'fifty dry runs, admin': {
    atOnce: 50,
    patience: null,
    request: (send, { admin, clusterId }) => send({ token: admin, body: json(dryRuns(1), { id: clusterId }) }),
  },
  'aliased dry runs, admin': {
    atOnce: 4,
    patience: null,
    request: (send, { admin, clusterId }, round) =>
      send({ token: admin, body: json(dryRuns(round % 2 === 0 ? 30 : 6), { id: clusterId }) }),
  },
  'dry runs whose client leaves, admin': {
    atOnce: 10,
    patience: 100,
    request: (send, { admin, clusterId }) => send({ token: admin, body: json(dryRuns(1), { id: clusterId }) }),
  },
  'diffs, plain node': {
    atOnce: 10,
    patience: 500,
    request: (send, { node, clusterId }) => send({ token: node, body: json(diff, { id: clusterId }) }),
  },
  'small uploads of much YAML, admin': {
    atOnce: 20,
    patience: null,
    request: (send, { admin, clusterId }) =>
      send({ token: admin, body: uploadOf(clusterId, new Uint8Array(heavyYaml)) }),
  },
  'uploads of ten megabytes, admin': {
    atOnce: 30,
    patience: null,
    request: (send, { admin, clusterId }) => send({ token: admin, body: uploadOf(clusterId, new Uint8Array(large)) }),
  },
  'a map of nine megabytes, admin': {
    atOnce: 2,
    patience: null,
    request: (send, { admin, clusterId }) => {
      const map = `{"0":[${'"variables.file",'.repeat(500_000)}"x"]}`
      return send({ token: admin, body: uploadOf(clusterId, new Uint8Array(10), map) })
    },
  },
  'documents of strangers': {
    atOnce: 20,
    patience: null,
    request: (send, _target, round) =>
      send({
        token: null,
        body: json(`{ ${Array.from({ length: 400 }, (_, i) => `a${round}_${i}: viewer { __typename }`).join(' ')} }`),
      }),
  },
  'nine hundred texts, admin': {
    atOnce: 4,
    patience: null,
    request: (send, { admin }, round) =>
      send({ token: admin, body: json(`{ viewer { __typename } ${'#'.repeat(9000)}${round % 900}\n }`) }),
  },
  'large pages, admin': {
    atOnce: 8,
    patience: null,
    request: (send, { admin, clusterId }) =>
      send({
        token: admin,
        body: json(
          'query ($id: UUID!) { nodes(clusterId: $id, first: 500) { totalCount edges { node { id name groups routes overlayIp } } } }',
          { id: clusterId },
        ),
      }),
  },
  'whole archives, admin': {
    atOnce: 10,
    patience: null,
    request: (send, { admin, clusterId }) => send({ token: admin, body: '', path: `/clusters/${clusterId}/bundles/1` }),
  },
} as const satisfies Record<string, Attack>

export const attackNames = Object.keys(attacks)

export const attackOf = (name: string): Attack => {
  const attack = Object.entries<Attack>(attacks).find(([own]) => own === name)?.[1]
  if (!attack) throw new Error(`There is no attack "${name}". There are:\n${attackNames.join('\n')}`)
  return attack
}
