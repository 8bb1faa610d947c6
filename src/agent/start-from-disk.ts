import type { Logger } from '../base/log.ts'
import type { ClusterFolder } from './enrollment-state.ts'
import { sayError, VersionRefused } from './errors.ts'
import { readFailed, writeFailed } from './failed.ts'
import { discard, dropLink, pointLink, readLinked, type Generation } from './nebula/generation.ts'
import { sayRevoked, wayBack } from './nebula/revocations.ts'
import type { Supervisor } from './nebula/supervisor.ts'

/**
 * Starts what the machine ran when its agent ended, without asking the control plane. If the agent, or the machine,
 * went down between the switch to a version and the proof that it runs, that version is tried once more. The proven
 * version replaces it when it does not run, or was retried before: it may be the reason why the machine went down.
 */
export async function startFromDisk(supervisor: Supervisor, folder: ClusterFolder, log: Logger): Promise<void> {
  const current = await readLinked(folder, 'current')
  const proven = await readLinked(folder, 'proven')
  const last = current ?? proven
  if (last === null) return
  // Without a proven version there is no fallback: it is started until it runs, or something newer does.
  if (proven === null || last.name === proven.name) return supervisor.resume(last)
  log.warn({ version: last.version, proven: proven.version }, 'the agent ended before this version was proven to run')
  if ((await readLinked(folder, 'retried'))?.name === last.name) {
    const way = await wayBack(folder, proven, last, log)
    // Recorded first: it must not count as new when the machine goes down here too.
    const reason = `the agent ended twice before it was proven to run${sayRevoked(proven, last, way)}`
    await remember(folder, last, proven, reason)
    await supervisor.resume(way)
    await discard(folder, last)
  } else {
    await pointLink(folder, 'retried', last)
    await retry(supervisor, folder, last, proven)
  }
  await dropLink(folder, 'retried')
}

async function retry(supervisor: Supervisor, folder: ClusterFolder, last: Generation, proven: Generation) {
  try {
    await supervisor.startWith(last, proven)
  } catch (error) {
    if (!(error instanceof VersionRefused)) throw error
    await remember(folder, last, proven, sayError(error) + sayRevoked(proven, last, supervisor.running ?? proven))
    await discard(folder, last)
  }
}

/** Records what did not run, unless it is the proven version with another certificate, which is renewed again. */
async function remember(folder: ClusterFolder, { version }: Generation, proven: Generation, reason: string) {
  const known = await readFailed(folder)
  if (version > Math.max(proven.version, known?.version ?? 0)) await writeFailed(folder, { version, reason })
}
