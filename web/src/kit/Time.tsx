import { useEffect } from 'react'

import { Store, useStore } from '../api/store.ts'
import { useLanguage, type Language } from '../messages/messages.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const units = [
  ['year', 365 * day],
  ['month', 30 * day],
  ['day', day],
  ['hour', hour],
  ['minute', minute],
] as const

/** How far away a time is, such as “5 minutes ago” or “in 3 days”. */
function distance(at: string, now: number, language: Language): string {
  const far = Date.parse(at) - now
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  for (const [unit, length] of units) if (Math.abs(far) >= length) return format.format(Math.trunc(far / length), unit)
  return format.format(0, 'second')
}

const clock = new Store(Date.now())
let watchers = 0
let ticking: ReturnType<typeof setInterval> | null = null

/** The time, as all parts of the page know it; they move on together. */
function useNow(): number {
  useEffect(() => {
    watchers += 1
    ticking ??= setInterval(() => clock.set(Date.now()), 10 * second)
    return () => {
      watchers -= 1
      if (watchers > 0 || ticking === null) return
      clearInterval(ticking)
      ticking = null
    }
  }, [])
  return useStore(clock)
}

/** How far away a time is; the exact time in the reader's zone on hover. */
export function Time({ at }: { readonly at: string }) {
  const language = useLanguage()
  const exact = new Date(at).toLocaleString(language, { dateStyle: 'full', timeStyle: 'long' })
  // A stopped clock lags behind what was just read, which then lies in the future.
  const now = Math.max(useNow(), Date.now() - 10 * second)
  return (
    <time dateTime={at} title={exact}>
      {distance(at, now, language)}
    </time>
  )
}
