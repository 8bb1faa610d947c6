import type { Database } from '../client/client.ts'
import { timeText } from '../reads/row-values.ts'

/** When a credential was used. */
export interface CredentialUse {
  readonly credentialId: string
  /** Milliseconds since 1970. */
  readonly usedAt: number
}

/** Writes when credentials were used, of any tenant: for the server itself, which has recognised them. */
export interface CredentialUseStore {
  /**
   * One statement. Of several times, also those of other instances, the latest stays; rows that are gone are left out.
   * @param uses at most one per credential
   */
  write(uses: readonly CredentialUse[]): Promise<void>
}

/** Creates the only writer of `credentials.last_used_at`. */
export function credentialUseStore({ engine, bulk }: Database): CredentialUseStore {
  const statements = [engine === 'sqlite' ? sqliteStatement : postgresqlStatement]
  return {
    async write(uses) {
      const rows = uses.map(({ credentialId, usedAt }) => [credentialId, timeText(usedAt)])
      await bulk({ statements, chunks: [JSON.stringify(rows)] })
    },
  }
}

const isLater = '(c.last_used_at IS NULL OR c.last_used_at < v.used_at)'

const sqliteStatement = `UPDATE credentials AS c SET last_used_at = v.used_at
  FROM (SELECT value->>0 AS id, value->>1 AS used_at FROM json_each(?)) v WHERE c.id = v.id AND ${isLater}`

/** Rows are locked in the order of their ids: two instances that write the same ones cannot deadlock. */
const postgresqlStatement = `WITH v AS MATERIALIZED (
    SELECT value->>0 AS id, (value->>1)::timestamp(3) AS used_at FROM jsonb_array_elements($1::jsonb) AS each(value)),
  mine AS MATERIALIZED (
    SELECT c.id FROM v JOIN credentials c ON c.id = v.id WHERE ${isLater} ORDER BY c.id FOR NO KEY UPDATE OF c)
  UPDATE credentials c SET last_used_at = v.used_at FROM v, mine WHERE mine.id = c.id AND v.id = c.id AND ${isLater}`
