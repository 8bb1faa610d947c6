import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { enroll } from '../../../src/agent/enroll.ts'
import { runAgent, type RunningAgent } from '../../../src/agent/run.ts'
import { systemOperator } from '../../../src/auth/system.ts'
import { createLog } from '../../../src/base/log.ts'
import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { startPublisher, type Publisher } from '../../../src/domain/publishing/publisher.ts'
import { listen, type Listening } from '../../../src/http/server/server.ts'
import { readSlice } from '../../../src/nebula/bundle/slice-archive.ts'
import { writeTar } from '../../../src/nebula/bundle/tar.ts'
import { startApp, type LogLine, type TestApp } from '../../support/app.ts'
import { eventually } from '../../support/eventually.ts'
import { mutate } from '../../support/mutate.ts'
import { send } from '../../support/multipart.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { createWorld, nodeRow, type World } from '../../support/world.ts'

/** What a control plane in bad hands may do to a slice on its way. */
export type Tamper = (files: Map<string, Uint8Array>) => Map<string, Uint8Array> | Promise<Map<string, Uint8Array>>

/** A control plane that listens, and a machine beside it. Nebula needs no root there: the tunnel device is disabled. */
export class Site {
  readonly app: TestApp
  readonly world: World
  readonly stateDir: string
  /** Done to each slice that is downloaded; nothing when null. */
  tamper: Tamper | null = null
  #server: Listening
  #publisher: Publisher
  #agents: RunningAgent[] = []
  #lines: LogLine[] = []

  private constructor(app: TestApp, world: World, stateDir: string, server: Listening, publisher: Publisher) {
    this.app = app
    this.world = world
    this.stateDir = stateDir
    this.#server = server
    this.#publisher = publisher
  }

  static async open(): Promise<Site> {
    const app = await startApp('sqlite')
    const world = await createWorld(app, 'site', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    const publisher = startPublisher({ operator: systemOperator(app.database), vault: app.vault, log: app.app.log })
    const server: { tamper: (request: string, authorization: string) => Promise<Uint8Array | null> } = {
      tamper: () => Promise.resolve(null),
    }
    const between: TestApp['app'] = {
      ...app.app,
      async answer(call) {
        const body = call.path === '/bundle' ? await server.tamper('/bundle', call.header('authorization') ?? '') : null
        if (body === null) return app.app.answer(call)
        const head = ['content-type', 'application/gzip', 'etag', '"0"']
        return { status: 200, head, parts: [body], length: body.length }
      },
    }
    const listening = await listen(between, { host: '127.0.0.1', port: 0, closeTimeout: 500 })
    const stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    const site = new Site(app, world, stateDir, listening, publisher)
    server.tamper = async (path, authorization) => {
      const { tamper } = site
      if (tamper === null) return null
      const response = await app.fetch(path, { headers: { authorization } })
      if (response.status !== 200) return null
      const files = await tamper(await readSlice(new Uint8Array(await response.arrayBuffer())))
      return gzipSync(writeTar([...files].map(([name, content]) => ({ path: name, content }))))
    }
    await site.upload('tun:\n  disabled: true\n')
    return site
  }

  get url(): string {
    return this.#server.url
  }

  enroll(options: Partial<Parameters<typeof enroll>[0]> = {}) {
    return enroll({
      server: this.url,
      token: this.world.clusterToken,
      name: randomUUID(),
      groups: [],
      overlayIp: null,
      stateDir: this.stateDir,
      nebulaVersion: '1.6.1',
      insecureHttp: false,
      ...options,
    })
  }

  /** Runs the agent for what is enrolled; the pauses are short, so that polls do not make the tests wait. */
  async run(stateDir = this.stateDir, nebula = 'nebula'): Promise<RunningAgent> {
    const log = createLog('debug', { write: (line: string) => this.#lines.push(JSON.parse(line) as LogLine) })
    const pace = { besideStream: 200, poll: 200, firstVersion: 100, report: 60_000 }
    const agent = await runAgent({ stateDir, clusters: [], nebula, log, pace })
    this.#agents.push(agent)
    return agent
  }

  /** What the agents logged since the last look. */
  takeLog(): LogLine[] {
    return this.#lines.splice(0)
  }

  /** Publishes a shared configuration; its version. */
  async upload(config: string): Promise<number> {
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) {
      ... on CreateConfigBundlePayload { configBundle { version } } ... on Error { message } } }`
    const archive = await packBundle([{ path: 'config.yml', content: config }])
    const input = { clusterId: this.world.clusterId, archive: fileMark }
    const { text } = await send(this.app, this.world.admin, query, { input }, archive)
    const { data } = JSON.parse(text) as { data: { createConfigBundle: { configBundle?: { version: number } } } }
    const version = data.createConfigBundle.configBundle?.version
    if (version === undefined) throw new Error(`the upload was refused: ${text}`)
    return version
  }

  mutate(name: string, input: object): Promise<object> {
    return mutate(this.app, this.world.admin, name, input)
  }

  /** A node as the control plane has it. */
  async node(id: string) {
    await this.app.flush()
    return nodeRow(this.app, id)
  }

  /** The version that the cluster wants. */
  async wanted(): Promise<number> {
    const where = { id: this.world.clusterId }
    return (await this.app.database.client.cluster.findUniqueOrThrow({ where })).configVersion
  }

  /** Waits until a node reports that a version runs. */
  runs(nodeId: string, version: number) {
    return eventually(
      `version ${version} runs`,
      () => this.node(nodeId),
      ({ runningConfigVersion }) => runningConfigVersion === version,
    )
  }

  /** Waits until a node reports an error of this kind. */
  reports(nodeId: string, pattern: RegExp) {
    return eventually(
      `it reports ${pattern}`,
      () => this.node(nodeId),
      ({ lastError }) => lastError !== null && pattern.test(lastError),
    )
  }

  read(...path: string[]): Promise<string> {
    return readFile(join(this.stateDir, ...path), 'utf8')
  }

  /** The control plane goes away; `listenAgain` brings it back to its address. */
  async goAway(): Promise<() => Promise<void>> {
    const { port } = new URL(this.url)
    await this.#server.close()
    return async () => {
      this.#server = await listen(this.app.app, { host: '127.0.0.1', port: Number(port), closeTimeout: 500 })
    }
  }

  async stopAgents(): Promise<void> {
    await Promise.all(this.#agents.splice(0).map((agent) => agent.stop()))
  }

  async close(): Promise<void> {
    await this.stopAgents()
    await this.#publisher.stop()
    await this.#server.close()
    await this.app.close()
    await rm(this.stateDir, { recursive: true, force: true })
  }
}
