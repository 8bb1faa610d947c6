import { within } from '../../base/deadline.ts'
import type { Logger } from '../../base/log.ts'
import { json } from '../pipeline/answer.ts'
import type { Route } from '../pipeline/router.ts'
import { describeError } from '../pipeline/describe-error.ts'

/** How the health of this instance is determined. */
export interface Health {
  /** The checks that must hold before this instance is sent requests, by their names in `/readyz`. */
  readonly checks: Readonly<Record<string, Check>>
  /** Sentences about what an operator should know although this instance can serve; no warnings when absent. */
  readonly warnings?: () => Promise<readonly string[]>
}

/** Resolves if the check holds, with 'full' if there is no room for more; rejects with what is wrong. */
type Check = () => Promise<unknown>

type Outcome = 'ok' | 'full' | 'failed'

/** Longer than a healthy database takes for one row, in milliseconds. */
const patience = 3000

/**
 * `/healthz`: the process runs and answers. `/readyz`: it can also serve. A 503 names the checks that failed; the
 * reasons are only in the log, since these routes need no credential. A fault that affects only some clusters is a
 * warning with status 200, since a 503 would take the instance from the other clusters as well. Requests that arrive
 * while a check runs share its outcome, so that they cannot keep the database busy.
 */
export function healthRoutes(health: Health, { isStopping, log }: Options): Route[] {
  const warnings = shared(() => told(health, log))
  const checks = Object.entries(health.checks).map(([name, check]): [string, () => Promise<Outcome>] => [
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
          const checked = Object.fromEntries(outcomes)
          if (!ready) return json(503, { status: 'failed', checks: checked }, uncached)
          const sentences = await warnings()
          const further = sentences.length > 0 ? { warnings: sentences } : {}
          return json(200, { status: 'ready', checks: checked, ...further }, uncached)
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

/** How long an outcome is reused, in milliseconds: these routes need no credential, and checks load the database. */
const freshness = 1000

/** The outcome of a check; logged when it changes. */
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

/** The warnings; empty when they cannot be determined, which does not make the instance unready. */
async function told({ warnings }: Health, log: Options['log']): Promise<readonly string[]> {
  try {
    return warnings ? await withPatience(warnings()) : []
  } catch (error) {
    log.warn({ error: describeError(error) }, 'what to warn of is not known')
    return []
  }
}

/** Runs a check once for all requests that arrive while it runs and shortly after; the check must not reject. */
function shared<T>(check: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | null = null
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

/** Rejects when a check takes too long. */
const withPatience = <T>(check: Promise<T>): Promise<T> => within(patience, check, `no answer within ${patience} ms`)
