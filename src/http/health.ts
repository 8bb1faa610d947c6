import { json } from './answer.ts'
import type { Route } from './router.ts'
import { describeError } from './describe-error.ts'

/** What has to hold before this instance is sent requests. */
export interface Health {
  /** Resolves when the database answers. */
  database(): Promise<void>
  /** Resolves when the database's schema is this program's; rejects with what is wrong. */
  migrations(): Promise<void>
}

type Outcome = 'ok' | 'failed'

/** Longer than a database that is well takes for one row, in milliseconds. */
const patience = 3000

/**
 * `/healthz`: the process runs and answers. `/readyz`: it can serve, too; 503 names the check that failed and says why
 * in the log alone, since anybody may ask. Whoever asks while a check runs shares its outcome.
 */
export function healthRoutes(health: Health, isStopping: () => boolean): Route[] {
  const database = shared(() => health.database())
  const migrations = shared(() => health.migrations())
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
          return json(ready ? 200 : 503, { status: ready ? 'ready' : 'failed', checks }, uncached)
        },
      },
    },
  ]
}

const uncached = { 'cache-control': 'no-store' }

/** How long an outcome holds, in milliseconds: anybody may ask, and each check costs the database something. */
const freshness = 1000

/** Runs a check once for all who ask while it runs and shortly after, and gives up on it after a while. */
function shared(check: () => Promise<void>): () => Promise<void> {
  let latest: Promise<void> | null = null
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

async function withPatience(check: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience)
  })
  try {
    await Promise.race([check, late])
  } finally {
    clearTimeout(timer)
  }
}
