import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { NebulaBuild } from '../../support/nebula-versions.ts'
import { program } from '../../support/orrery-process.ts'
import { eventually } from './pings.ts'
import type { Lab, Machine, Running } from './lab.ts'

const orrery = ['node', program]

/** A control plane on a machine of the lab, with a database that outlives its process. */
export class ControlPlane {
  readonly #machine: Machine
  readonly #environment: Record<string, string>
  #process: Running | null = null
  #token = ''

  constructor(lab: Lab, machine: Machine) {
    this.#machine = machine
    this.#environment = {
      DATABASE_URL: `file:${join(lab.folder, 'orrery.db')}`,
      ORRERY_DATA_DIR: lab.folder,
      ORRERY_SECRET: randomBytes(32).toString('hex'),
      ORRERY_HOST: machine.address,
      ORRERY_PORT: '4000',
      ORRERY_LOG_LEVEL: 'info',
    }
  }

  get url(): string {
    return `http://${this.#machine.address}:4000`
  }

  async start(): Promise<void> {
    this.#process = this.#machine.start([...orrery, 'serve'], this.#environment)
    await eventually(`the server is ready\n${this.#process.output()}`, () => this.#isReady())
    if (this.#token !== '') return
    const minted = this.#machine.start(
      [...orrery, 'token', 'create', '--role', 'operator', '--ttl', '2h'],
      this.#environment,
    )
    await eventually('a token is minted', () => Promise.resolve(/orp_[\w-]{43}\s/.test(minted.output())))
    this.#token = /orp_[\w-]{43}/.exec(minted.output())?.[0] ?? ''
    await minted.stop()
  }

  /** Kills it, without an orderly end. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL')
  }

  /** Runs a mutation with its `input` and returns its payload; a typed error fails the test with its message. */
  async mutate<Payload>(
    name: string,
    input: object,
    selection: string,
    archive?: Uint8Array<ArrayBuffer>,
  ): Promise<Payload> {
    const type = name.charAt(0).toUpperCase() + name.slice(1)
    const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
      __typename ... on ${type}Payload { ${selection} } ... on Error { message } } }`
    const data = await this.query<Record<string, { __typename: string }>>(query, { input }, archive)
    const payload = data[name]
    if (payload?.__typename === `${type}Payload`) return payload as Payload
    throw new Error(`${name} was refused: ${JSON.stringify({ input, payload })}`)
  }

  async query<Data>(query: string, variables: object = {}, archive?: Uint8Array<ArrayBuffer>): Promise<Data> {
    const authorization = `Bearer ${this.#token}`
    const json = JSON.stringify({ query, variables })
    const response = await fetch(
      `${this.url}/graphql`,
      archive === undefined
        ? { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: json }
        : { method: 'POST', headers: { authorization, 'x-orrery-csrf': '1' }, body: uploadForm(json, archive) },
    )
    const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown }
    if (data === undefined || errors !== undefined)
      throw new Error(`${query}\n${JSON.stringify({ variables, errors })}`)
    return data
  }

  async #isReady(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
}

/** GraphQL multipart request: the archive is `input.archive`. */
function uploadForm(json: string, archive: Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData()
  form.set('operations', json)
  form.set('map', JSON.stringify({ 0: ['variables.input.archive'] }))
  form.set('0', new File([archive], 'bundle.tar.gz', { type: 'application/gzip' }))
  return form
}

/** A machine of the mesh, with its agent. */
export interface Member {
  readonly id: string
  readonly machine: Machine
  readonly overlayIp: string
  readonly agent: Running
}

/** A network that grows by real enrollments: `orrery agent enroll`, then `orrery agent run`. */
export class Mesh {
  readonly lab: Lab
  readonly plane: ControlPlane
  readonly clusterId: string
  readonly #clusterToken: string

  private constructor(lab: Lab, plane: ControlPlane, cluster: { id: string; token: string }) {
    this.lab = lab
    this.plane = plane
    this.clusterId = cluster.id
    this.#clusterToken = cluster.token
  }

  /** A tenant and a cluster on a running control plane. */
  static async create(lab: Lab, plane: ControlPlane): Promise<Mesh> {
    const { tenant } = await plane.mutate<{ tenant: { id: string } }>('createTenant', { name: 'mesh' }, 'tenant { id }')
    const input = { tenantId: tenant.id, name: 'mesh' }
    const { cluster, token } = await plane.mutate<{ cluster: { id: string }; token: string }>(
      'createCluster',
      input,
      'cluster { id } token',
    )
    return new Mesh(lab, plane, { id: cluster.id, token })
  }

  /** Adds a machine that an admin creates first, with settings that only admins may set; it gets the node's token. */
  async joinAnnounced(machine: Machine, input: object, build?: NebulaBuild): Promise<Member> {
    const { token } = await this.plane.mutate<{ token: string }>(
      'createNode',
      { clusterId: this.clusterId, name: machine.name, ...input },
      'token',
    )
    return this.#join(machine, token, build)
  }

  /** Adds a machine that enrolls itself with the cluster token; `build` is its Nebula, by default the system's. */
  join(machine: Machine, build?: NebulaBuild): Promise<Member> {
    return this.#join(machine, this.#clusterToken, build)
  }

  /** One node as the control plane knows it; null when there is none of that name. */
  async node(name: string): Promise<KnownNode | null> {
    const query = `query ($id: UUID!) { nodes(clusterId: $id) { edges { node {
      id name overlayIp runningConfigVersion lastError certificate } } } }`
    const { nodes } = await this.plane.query<{ nodes: { edges: { node: KnownNode }[] } }>(query, { id: this.clusterId })
    return nodes.edges.find(({ node }) => node.name === name)?.node ?? null
  }

  async cluster<Data>(selection: string): Promise<Data> {
    const query = `query ($id: UUID!) { cluster(id: $id) { ${selection} } }`
    return (await this.plane.query<{ cluster: Data }>(query, { id: this.clusterId })).cluster
  }

  async #join(machine: Machine, token: string, build?: NebulaBuild): Promise<Member> {
    const folder = join(this.lab.folder, machine.name)
    await mkdir(folder, { recursive: true })
    const tokenFile = join(folder, 'enrollment-token')
    await writeFile(tokenFile, token, { mode: 0o600 })
    const state = ['--state-dir', join(folder, 'state'), '--nebula', build?.nebula ?? 'nebula']
    const from = ['--server', this.plane.url, '--insecure-http', '--token-file', tokenFile]
    await machine.exec(...orrery, 'agent', 'enroll', ...from, ...state, '--name', machine.name)
    const agent = machine.start([...orrery, 'agent', 'run', '--poll', '2', ...state])
    const node = await this.node(machine.name)
    if (!node) throw new Error(`${machine.name} enrolled, and the control plane does not know it`)
    return { id: node.id, machine, overlayIp: node.overlayIp, agent }
  }
}

export interface KnownNode {
  readonly id: string
  readonly name: string
  readonly overlayIp: string
  readonly runningConfigVersion: number | null
  readonly lastError: string | null
  readonly certificate: string | null
}
