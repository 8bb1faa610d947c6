import { eventually as untilSeen } from '../../support/eventually.ts'
import type { Machine } from './lab.ts'

/** Whether one ping reaches the address within a second. */
export const reaches = (from: Machine, address: string, ...options: string[]): Promise<boolean> =>
  from.exec('ping', '-c', '1', '-W', '1', ...options, address).then(
    () => true,
    () => false,
  )

/** Waits until a condition holds, as tests do everywhere; longer, for all the machines share the cores of one. */
export const eventually = (what: string, holds: () => Promise<boolean>, seconds = 90): Promise<boolean> =>
  untilSeen(what, holds, Boolean, seconds)

export interface PingCount {
  readonly sent: number
  readonly lost: number
}

/** Pings five times a second until `end` is called, which returns the counts. */
export function keepPinging(from: Machine, address: string): { readonly end: () => Promise<PingCount> } {
  const running = from.start(['ping', '-q', '-i', '0.2', '-W', '2', address])
  return {
    async end() {
      // SIGINT makes ping write its summary.
      await running.stop('SIGINT')
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(running.output()) ?? []
      if (sent === undefined) throw new Error(`ping told nothing: ${running.output()}`)
      // The answer to the last ping may still be on its way.
      return { sent: Number(sent), lost: Math.max(0, Number(sent) - Number(received) - 1) }
    },
  }
}
