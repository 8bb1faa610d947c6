import { readFile } from 'node:fs/promises'

/** How the file descriptors that the process may open are shared out. */
export interface DescriptorShares {
  /** Connections of clients at once. What is left is the program's own: database, files, threads. */
  readonly connections: number
  /** Of these, streams. The others are for requests. */
  readonly streams: number
}

/**
 * What the program needs for itself: 28 after the start, a pool of 20 connections and one of 8, four threads of about
 * five each, and the files that an upload or a check reads.
 */
const own = 112

/** How many descriptors the process may have open: its soft limit (getrlimit(2)); null where the system does not say. */
export async function descriptorLimit(path = '/proc/self/limits'): Promise<number | null> {
  const limits = await readFile(path, 'utf8').catch(() => '')
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
  return soft === undefined ? null : Number(soft)
}

/** Shares a limit out: a quarter of it is for requests, from 48 to 1024. Whoever has little can hold one stream at least. */
export function shareDescriptors(limit: number | null): DescriptorShares {
  if (limit === null) return { connections: Infinity, streams: Infinity }
  const requests = Math.min(1024, Math.max(48, Math.floor(limit / 4)))
  const streams = Math.max(1, limit - own - requests)
  return { connections: streams + requests, streams }
}
