import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** What some work took, in milliseconds. */
export interface Watched<T> {
  readonly result: T
  readonly took: number
  /** The longest time that the event loop did not turn meanwhile. */
  readonly blocked: number
}

/** Milliseconds in which the monitor's timer is sure to come round: it measures from one time to the next alone. */
const around = 10

/** Does some work and sees for how long it kept everything else waiting. */
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
