import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'

import { type Command, InvalidArgumentError } from 'commander'

import { printable } from '../base/texts/printable.ts'
import { UsageError } from './usage-error.ts'

const defaultStateDir = '/var/lib/orrery'

interface EnrollFlags {
  readonly server: string
  readonly tokenFile: string
  readonly name: string
  readonly groups: string[]
  readonly overlayIp?: string
  readonly stateDir: string
  readonly nebula: string
  readonly insecureHttp: boolean
}

/** `orrery agent …`: the program on the nodes. It uses nothing of the control plane but its public API. */
export function addAgentCommands(program: Command): void {
  const agent = program.command('agent').description('make this machine a node of a cluster, and keep it one')
  agent
    .command('enroll')
    .description('make a key pair, send the public key, and store the certificate and the node token')
    .requiredOption('--server <url>', 'the control plane')
    .requiredOption(
      '--token-file <file>',
      'an enrollment key (ore_…), a cluster token (orc_…) or a node token (orn_…); - reads standard input',
    )
    .option('--name <name>', 'the name of the node, unless an admin gave it one', hostname())
    .option('--groups <list>', 'groups, separated by commas, that the cluster allows machines to request', list, [])
    .option('--overlay-ip <address>', 'the address in the overlay (default: the lowest free one)')
    .option('--state-dir <folder>', 'where keys, tokens and versions are kept', defaultStateDir)
    .option('--nebula <program>', 'the Nebula binary', 'nebula')
    .option('--insecure-http', 'send the token over http to another machine', false)
    .action(async (flags: EnrollFlags) => {
      const [{ enroll }, { nebulaVersion }] = await Promise.all([
        import('../agent/enroll.ts'),
        import('../agent/nebula/nebula-process.ts'),
      ])
      const { server, name, groups, overlayIp = null, stateDir, insecureHttp } = flags
      const version = await nebulaVersion(flags.nebula)
      const token = await readToken(flags.tokenFile)
      const options = { server, token, name, groups, overlayIp, stateDir, insecureHttp, nebulaVersion: version }
      const { enrollment, folder } = await inStateDir(stateDir, () => enroll(options))
      console.log(
        `${printable(enrollment.name)} is a node of cluster ${enrollment.clusterId}; its keys are in ${folder.path}.`,
      )
      console.log('Next: orrery agent run')
    })
  agent
    .command('run')
    .description('run Nebula on the published versions (Ctrl-C or SIGTERM ends both, SIGHUP checks for a new version)')
    .option('--cluster <id or name...>', 'run only these clusters', [])
    .option('--state-dir <folder>', 'where enroll kept its files', defaultStateDir)
    .option('--nebula <program>', 'the Nebula binary', 'nebula')
    .option('--poll <seconds>', 'time between two checks for a new version while the event stream is down', seconds, 30)
    .option('--log-level <level>', 'trace, debug, info, warn or error', 'info')
    .action(async (flags: { cluster: string[]; stateDir: string; nebula: string; logLevel: string; poll: number }) => {
      const [{ runAgent }, { createLog }] = await Promise.all([import('../agent/run.ts'), import('../base/log.ts')])
      const { cluster: clusters, stateDir, nebula, logLevel } = flags
      const options = { stateDir, clusters, nebula, log: createLog(logLevel), pace: { poll: flags.poll * 1000 } }
      const running = await inStateDir(stateDir, () => runAgent(options))
      process.on('SIGHUP', () => {
        running.check()
      })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.stop())
      if (!(await running.ended)) process.exitCode = 1
    })
  agent
    .command('status')
    .description('show what runs on this machine')
    .option('--state-dir <folder>', 'where enroll kept its files', defaultStateDir)
    .option('--json', 'print JSON, for programs', false)
    .action(async ({ stateDir, json }: { stateDir: string; json: boolean }) => {
      const [{ chosen }, { sayStatus, statusOf }] = await Promise.all([
        import('../agent/run.ts'),
        import('../agent/status.ts'),
      ])
      const all = await inStateDir(stateDir, async () => Promise.all((await chosen(stateDir, [])).map(statusOf)))
      console.log(json ? JSON.stringify(all, null, 2) : printable(all.map(sayStatus).join('\n\n')))
    })
  agent
    .command('leave')
    .description('remove a cluster from this machine: its keys, token and versions (stop the agent first)')
    .requiredOption('--cluster <id or name>', 'the cluster to remove')
    .option('--state-dir <folder>', 'where enroll kept its files', defaultStateDir)
    .option('--yes', 'confirm the removal', false)
    .action(async ({ cluster, stateDir, yes }: { cluster: string; stateDir: string; yes: boolean }) => {
      const [{ chosen }, { leave }] = await Promise.all([import('../agent/run.ts'), import('../agent/enroll.ts')])
      const [folder] = await inStateDir(stateDir, () => chosen(stateDir, [cluster]))
      if (folder === undefined) return
      if (!yes) throw new UsageError(`This removes ${folder.path} with the machine's key for good: say --yes.`)
      await inStateDir(stateDir, () => leave(folder))
      console.log(`${folder.path} is gone. Delete the node in the control plane, too: that revokes its certificate.`)
    })
}

/** Errors of the file system about the state folder are for the person who started the agent to fix. */
async function inStateDir<T>(stateDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string }
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(code)) throw error
    throw new UsageError(`--state-dir ${stateDir}: ${message}. Run it as root, or choose a folder that you may use.`)
  }
}

const list = (flag: string): string[] => flag.split(',').filter((one) => one !== '')

function seconds(flag: string): number {
  if (!/^[1-9]\d{0,4}$/.test(flag)) throw new InvalidArgumentError('a whole number of seconds from 1 is needed')
  return Number(flag)
}

async function readToken(file: string): Promise<string> {
  const read = file === '-' ? text(process.stdin) : readFile(file, 'utf8')
  const token = await read.catch((error: unknown) => {
    throw new UsageError(
      `--token-file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  })
  if (token.trim() === '') throw new UsageError(`--token-file ${file} is empty.`)
  return token.trim()
}
