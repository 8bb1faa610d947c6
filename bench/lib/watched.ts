import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** The duration of some work, in milliseconds. */
export interface Watched<T> {
  readonly result: T
  readonly took: number
  /** The longest time during which the event loop was blocked. */
  readonly blocked: number
}

/** Milliseconds in which the monitor's timer is sure to fire: it measures only from one firing to the next. */
const around = 10

/** Does some work and measures for how long it blocked everything else. */
export async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await sleep(around)
  delay.reset()
  const began = performance.now()
  const result = await work()
  const took = performance.now() - began
  await sleep(around)
  delay.disable()
  return { result, took, blocked: delay.max / 1e6 }
}
