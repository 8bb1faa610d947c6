import { json } from './responses.ts'
import type { Route } from './router.ts'
import { describeError } from './describe-error.ts'

/** What has to hold before this instance is sent requests. */
export interface Health {
  /** Resolves when the database answers. */
  database(): Promise<void>
  /** Resolves when the database's schema is this program's; rejects with what is wrong. */
  migrations(): Promise<void>
  /** What an operator should know although this instance serves, a sentence each; none when absent. */
  warnings?(): Promise<readonly string[]>
}

type Outcome = 'ok' | 'failed'

/** Longer than a database that is well takes for one row, in milliseconds. */
const patience = 3000

/**
 * `/healthz`: the process runs and answers. `/readyz`: it can serve, too; 503 names the check that failed and says why
 * in the log alone, since anybody may ask. What keeps it from serving a part of its clusters is a warning beside 200,
 * since the others would lose it, too. Whoever asks while a check runs shares its outcome.
 */
export function healthRoutes(health: Health, isStopping: () => boolean): Route[] {
  const database = shared(() => health.database())
  const migrations = shared(() => health.migrations())
  const warnings = shared(() => health.warnings?.() ?? Promise.resolve([]))
  return [
    { path: '/healthz', methods: { GET: () => json(200, { status: 'ok' }, uncached) } },
    {
      path: '/readyz',
      methods: {
        GET: async ({ log }) => {
          if (isStopping()) return json(503, { status: 'stopping' }, uncached)
          const outcome = async (check: string, run: () => Promise<void>): Promise<Outcome> => {
            try {
              await run()
              return 'ok'
            } catch (error) {
              log.warn({ check, error: describeError(error) }, 'not ready')
              return 'failed'
            }
          }
          const checks = {
            database: await outcome('database', database),
            migrations: await outcome('migrations', migrations),
          }
          const ready = Object.values(checks).every((check) => check === 'ok')
          if (!ready) return json(503, { status: 'failed', checks }, uncached)
          const told = await warnings().catch((error: unknown) => {
            log.warn({ error: describeError(error) }, 'what to warn of is not known')
            return []
          })
          return json(200, { status: 'ready', checks, ...(told.length > 0 ? { warnings: told } : {}) }, uncached)
        },
      },
    },
  ]
}

const uncached = { 'cache-control': 'no-store' }

/** How long an outcome holds, in milliseconds: anybody may ask, and each check costs the database something. */
const freshness = 1000

/** Runs a check once for all who ask while it runs and shortly after, and gives up on it after a while. */
function shared<T>(check: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | null = null
  const forget = () => {
    setTimeout(() => (latest = null), freshness).unref()
  }
  return () => {
    if (!latest) {
      latest = withPatience(check())
      latest.then(forget, forget)
    }
    return latest
  }
}

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
