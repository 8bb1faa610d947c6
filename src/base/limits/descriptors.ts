import { readFile } from 'node:fs/promises'

/** How the file descriptors that the process may open are divided. */
export interface DescriptorShares {
  /** Client connections at once. The rest is for the program itself: database, files, threads. */
  readonly connections: number
  /** How many of these may be streams. The rest is for requests. */
  readonly streams: number
}

/**
 * What the program needs for itself: 28 after the start, a pool of 20 connections and one of 8, four threads of about
 * five each, and the files that an upload or a check reads.
 */
const own = 112

/** How many descriptors the process may open: its soft limit (getrlimit(2)); null where the system does not say. */
export async function descriptorLimit(path = '/proc/self/limits'): Promise<number | null> {
  const limits = await readFile(path, 'utf8').catch(() => '')
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
  return soft === undefined ? null : Number(soft)
}

/** Divides a limit: a quarter is for requests, from 48 to 1024. Even a small limit leaves room for one stream. */
export function shareDescriptors(limit: number | null): DescriptorShares {
  if (limit === null) return { connections: Infinity, streams: Infinity }
  const requests = Math.min(1024, Math.max(48, Math.floor(limit / 4)))
  const streams = Math.max(1, limit - own - requests)
  return { connections: streams + requests, streams }
}
