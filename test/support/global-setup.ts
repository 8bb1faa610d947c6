import { startPostgres } from './postgres.ts'

declare global {
  /** Set by globalSetup for globalTeardown, which runs in the same process. */
  var stopPostgres: (() => Promise<void>) | undefined
}

/** Before the first test: one PostgreSQL for all workers, unless TEST_POSTGRES_URL names one already. */
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_POSTGRES_URL'] !== undefined) return
  const server = await startPostgres()
  process.env['TEST_POSTGRES_URL'] = server.url
  globalThis.stopPostgres = server.stop
}
