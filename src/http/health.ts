import type { Logger } from '../base/log.ts'
import { json } from './responses.ts'
import type { Route } from './router.ts'
import { describeError } from './describe-error.ts'

/** What has to hold before this instance is sent requests, by the name that `/readyz` gives it. */
export type Health = Readonly<Record<string, Check>>

/** Resolves when it holds, with 'full' where there is no room for more; rejects with what is wrong. */
type Check = () => Promise<unknown>

type Outcome = 'ok' | 'full' | 'failed'

/** Longer than a database that is well takes for one row, in milliseconds. */
const patience = 3000

/**
 * `/healthz`: the process runs and answers. `/readyz`: it can serve, too; 503 names the checks that failed and says why
 * in the log alone, since anybody may ask. Whoever asks while a check runs shares its outcome, so that nobody can keep
 * the database busy by asking.
 */
export function healthRoutes(health: Health, { isStopping, log }: Options): Route[] {
  const checks = Object.entries(health).map(([name, check]): [string, () => Promise<Outcome>] => [
    name,
    shared(toldOnce(name, check, log)),
  ])
  return [
    { path: '/healthz', methods: { GET: () => json(200, { status: 'ok' }, uncached) } },
    {
      path: '/readyz',
      methods: {
        GET: async () => {
          if (isStopping()) return json(503, { status: 'stopping' }, uncached)
          const outcomes = await Promise.all(checks.map(async ([name, check]) => [name, await check()] as const))
          const ready = outcomes.every(([, outcome]) => outcome !== 'failed')
          const body = { status: ready ? 'ready' : 'failed', checks: Object.fromEntries(outcomes) }
          return json(ready ? 200 : 503, body, uncached)
        },
      },
    },
  ]
}

interface Options {
  readonly isStopping: () => boolean
  readonly log: Pick<Logger, 'warn' | 'info'>
}

const uncached = { 'cache-control': 'no-store' }

/** How long an outcome holds, in milliseconds: anybody may ask, and each check costs the database something. */
const freshness = 1000

/** The outcome of a check; the log hears of it when it is another than before. */
function toldOnce(check: string, run: Check, log: Options['log']): () => Promise<Outcome> {
  let before: Outcome = 'ok'
  return async () => {
    try {
      const outcome = (await withPatience(run())) === 'full' ? 'full' : 'ok'
      if (before === 'failed') log.info({ check }, 'ready again')
      before = outcome
    } catch (error) {
      if (before !== 'failed') log.warn({ check, error: describeError(error) }, 'not ready')
      before = 'failed'
    }
    return before
  }
}

/** Runs a check once for all who ask while it runs and shortly after. */
function shared(check: () => Promise<Outcome>): () => Promise<Outcome> {
  let latest: Promise<Outcome> | null = null
  return () => {
    if (!latest) {
      latest = check()
      void latest.then(() => {
        setTimeout(() => (latest = null), freshness).unref()
      })
    }
    return latest
  }
}

/** Gives up on a check after a while. */
async function withPatience<T>(check: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience)
  })
  try {
    return await Promise.race([check, late])
  } finally {
    clearTimeout(timer)
  }
}
