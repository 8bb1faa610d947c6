import { readdir, readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import * as z from 'zod'

import { nameIn } from './certificates.ts'
import { AgentError } from './errors.ts'
import { isMissing, makeFolder, writeWhole } from '../base/files.ts'
import { jsonOf } from '../base/json.ts'

const enrollmentText = jsonOf(
  z.object({
    format: z.literal(1),
    /** Of the control plane, without a slash at its end. */
    server: z.url(),
    clusterId: z.uuid(),
    nodeId: z.uuid(),
    name: z.string(),
    networkCidr: z.string(),
    /** Ed25519, 32 bytes in base64: what bundles are verified with. */
    bundleSigningKey: z.string(),
  }),
)

/** What a machine knows about a cluster that it belongs to; kept in `agent.json`. */
export type Enrollment = Readonly<z.infer<typeof enrollmentText>>

/** One cluster's folder below the state folder: `agent.json`, `token`, `host.key`, `host.crt`, `versions/`, `current`, `proven`. */
export class ClusterFolder {
  readonly path: string

  constructor(stateDir: string, clusterId: string) {
    // Nebula gets the paths of files in this folder, and the agent may be started from another folder the next time.
    this.path = resolve(stateDir, clusterId)
  }

  file(...names: string[]): string {
    return join(this.path, ...names)
  }

  /** The node's private key; never leaves the machine. */
  get keyFile(): string {
    return this.file('host.key')
  }

  /** The text of a file; null when there is none. */
  async read(...names: string[]): Promise<string | null> {
    try {
      return await readFile(this.file(...names), 'utf8')
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Whether a name means this cluster: its id, which works even where `agent.json` is damaged, or the node's name. */
  async isCalled(name: string): Promise<boolean> {
    return name === basename(this.path) || (await this.nodeName().catch(() => null)) === name
  }

  /**
   * The node's name: that of the certificate that runs, since an admin may have renamed the node after its enrollment.
   * @throws AgentError when nothing ran yet and the folder is not what `agent enroll` made
   */
  async nodeName(): Promise<string> {
    const certificate = await this.read('proven', 'host.crt')
    return (certificate === null ? null : nameIn(certificate)) ?? (await this.enrollment()).name
  }

  /** @throws AgentError when the folder is not what `agent enroll` made */
  async enrollment(): Promise<Enrollment> {
    const text = await this.read('agent.json')
    const parsed = text === null ? null : enrollmentText.safeParse(text)
    if (parsed?.success === true) return parsed.data
    throw new AgentError(
      text === null
        ? `${this.file('agent.json')} is missing: enroll again.`
        : `${this.file('agent.json')} is damaged: orrery agent leave --cluster ${basename(this.path)} --yes, then enroll again.`,
    )
  }

  async token(): Promise<string> {
    const token = (await this.read('token'))?.trim() ?? ''
    if (token === '') throw new AgentError(`${this.file('token')} is missing: enroll again with the node's token.`)
    return token
  }

  /** Writes everything of an enrollment; `agent.json` comes last, since it completes the enrollment. */
  async keep(enrollment: Enrollment, secrets: { token: string; key: string; certificate: string }): Promise<void> {
    await makeFolder(this.path)
    await writeWhole(this.keyFile, secrets.key)
    await writeWhole(this.file('token'), `${secrets.token}\n`)
    await writeWhole(this.file('host.crt'), secrets.certificate)
    await writeWhole(this.file('agent.json'), `${JSON.stringify(enrollment, null, 2)}\n`)
  }
}

/** The clusters that this machine is enrolled in. A folder with only the key of a failed enrollment does not count. */
export async function enrolledClusters(stateDir: string): Promise<ClusterFolder[]> {
  try {
    const entries = await readdir(stateDir, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory() && z.uuid().safeParse(entry.name).success)
    const folders = names.map(({ name }) => new ClusterFolder(stateDir, name))
    const enrollments = await Promise.all(folders.map((folder) => folder.read('agent.json')))
    return folders.filter((_, index) => enrollments[index] !== null)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
