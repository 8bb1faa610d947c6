import type { Logger } from '../../base/log.ts'
import { json } from '../pipeline/answer.ts'
import type { Route } from '../pipeline/router.ts'
import { describeError } from '../pipeline/describe-error.ts'

/** What is known of this instance's health. */
export interface Health {
  /** What has to hold before this instance is sent requests, by the name that `/readyz` gives it. */
  readonly checks: Readonly<Record<string, Check>>
  /** What an operator should know although this instance serves, a sentence each; none when absent. */
  readonly warnings?: () => Promise<readonly string[]>
}

/** Resolves when it holds, with 'full' where there is no room for more; rejects with what is wrong. */
type Check = () => Promise<unknown>

type Outcome = 'ok' | 'full' | 'failed'

/** Longer than a database that is well takes for one row, in milliseconds. */
const patience = 3000

/**
 * `/healthz`: the process runs and answers. `/readyz`: it can serve, too; 503 names the checks that failed and says why
 * in the log alone, since anybody may ask. What keeps it from serving a part of its clusters is a warning beside 200,
 * since the others would lose it, too. Whoever asks while a check runs shares its outcome, so that nobody can keep the
 * database busy by asking.
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

/** What an operator should know; nothing when it cannot be found out, which is no reason to be unready. */
async function told({ warnings }: Health, log: Options['log']): Promise<readonly string[]> {
  try {
    return warnings ? await withPatience(warnings()) : []
  } catch (error) {
    log.warn({ error: describeError(error) }, 'what to warn of is not known')
    return []
  }
}

/** Runs a check once for all who ask while it runs and shortly after; it does not reject. */
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
