import type { Databases } from './databases.ts'
import type { ServerProcess } from './processes.ts'
import { median } from './statistics.ts'
import { startBare, startOrrery } from './targets.ts'

/** Medians of several starts. */
export interface StartUp {
  /** From the start of the process to its first answer, in milliseconds. */
  readonly milliseconds: number
  /** Resident memory two seconds later, without any requests, in bytes. */
  readonly idleMemory: number
}

export interface StartUps {
  /** On a full database, and on a new one, which it creates first. */
  readonly orrery: StartUp
  readonly orreryFirst: StartUp
  readonly bare: StartUp
}

const starts = 3
const settling = 2000

/** Starts each server several times, in turn. */
export async function measureStartUp(url: string, databases: Databases): Promise<StartUps> {
  const all: Record<keyof StartUps, StartUp[]> = { orrery: [], orreryFirst: [], bare: [] }
  for (let start = 0; start < starts; start += 1) {
    all.bare.push(await once(() => startBare()))
    all.orrery.push(await once(async () => startOrrery(url, await databases.folder())))
    all.orreryFirst.push(await once(async () => startOrrery(await databases.create(), await databases.folder())))
  }
  const medianOf = (list: readonly StartUp[]): StartUp => ({
    milliseconds: median(list.map(({ milliseconds }) => milliseconds)),
    idleMemory: median(list.map(({ idleMemory }) => idleMemory)),
  })
  return { orrery: medianOf(all.orrery), orreryFirst: medianOf(all.orreryFirst), bare: medianOf(all.bare) }
}

async function once(start: () => Promise<ServerProcess>): Promise<StartUp> {
  const server = await start()
  try {
    await new Promise((resolve) => setTimeout(resolve, settling))
    return { milliseconds: server.startedIn, idleMemory: (await server.usage()).rss }
  } finally {
    await server.stop()
  }
}
