import { inPieces } from '../../base/pieces.ts'
import type { Database } from '../client/client.ts'
import { timeText } from '../reads/row-values.ts'
import type { Engine } from '../client/types.ts'

/**
 * A certificate that was signed for a node, and the one that it replaces. Plain data, since it is sent between threads.
 */
export interface ResignedNode {
  readonly nodeId: string
  /** The fingerprint of the certificate that the node had when this one was signed; null if it had none. */
  readonly previousFingerprint: string | null
  /**
   * Replaced certificates that stay valid and are revoked with the node: by fingerprint of each block, the expiry (ISO
   * 8601).
   */
  readonly replaced: Readonly<Record<string, string>>
  /** PEM: the block of the cluster's version, after one of version 1 where both are useful. */
  readonly certificate: string
  /** The fingerprint of the certificate with the cluster's version. */
  readonly fingerprint: string
  readonly expiresAt: Date
}

/** Writes the certificates of whole clusters, of any tenant: for the server itself, which signed them. */
export interface CertificateStore {
  /**
   * Gives each node its new certificate if it still has the one that this was made for, and adds that one to the node's
   * superseded certificates; expired ones are removed. Each five hundred nodes have their own statement and
   * transaction, so that other writes can happen in between.
   * @returns false as soon as a node had another certificate in the meantime, or is gone; later nodes may not be
   * written
   */
  replace(resigned: readonly ResignedNode[]): Promise<boolean>
}

/** Nodes in one statement: on SQLite, about ten milliseconds in which no other write happens. */
const chunkSize = 500

/** Creates the only writer of certificates that were signed for many nodes at once. */
export function certificateStore({ engine, bulk }: Database): CertificateStore {
  const statements = [engine === 'sqlite' ? sqliteStatement : postgresqlStatement]
  return {
    async replace(resigned) {
      const now = new Date().toISOString()
      for await (const chunk of inPieces(resigned, chunkSize)) {
        const [written = []] = await bulk({
          statements,
          chunks: [JSON.stringify(chunk.map((one) => valuesOf(one, now)))],
        })
        if (written.length < chunk.length) return false
      }
      return true
    },
  }
}

/** In the order in which `given` reads them. */
const valuesOf = (one: ResignedNode, now: string): unknown[] => [
  one.nodeId,
  one.previousFingerprint,
  one.certificate,
  one.fingerprint,
  timeText(one.expiresAt.getTime()),
  one.replaced,
  now,
]

/** The statement's JSON as rows. */
function given(engine: Engine): string {
  const [source, time] =
    engine === 'sqlite' ? ['json_each(?)', ''] : ['jsonb_array_elements($1::jsonb) AS each(value)', '::timestamp(3)']
  return `SELECT value->>0 AS id, value->>1 AS previous, value->>2 AS certificate, value->>3 AS fingerprint,
    (value->>4)${time} AS expires_at, value->5 AS replaced, value->>6 AS now FROM ${source}`
}

/**
 * Whether node `n` still has the certificate that `v` was made for. Its superseded ones change only together with it.
 */
const isAsBefore = 'n.certificate_fingerprint IS NOT DISTINCT FROM v.previous'

const assignments = `certificate = v.certificate, certificate_fingerprint = v.fingerprint,
  certificate_expires_at = v.expires_at`

/** The times have one text form, which sorts like the times. */
const sqliteStatement = `UPDATE nodes AS n SET ${assignments}, superseded_certificates = (
    SELECT json_group_object(key, value) FROM (
      SELECT key, value FROM json_each(n.superseded_certificates) UNION SELECT key, value FROM json_each(v.replaced))
    WHERE value > v.now)
  FROM (${given('sqlite')}) v WHERE n.id = v.id AND ${isAsBefore} RETURNING id AS "id"`

/** Locks the rows in the order of their ids, so that two instances that sign the same cluster do not deadlock. */
const postgresqlStatement = `WITH v AS MATERIALIZED (${given('postgresql')}),
  mine AS MATERIALIZED (
    SELECT n.id FROM v JOIN nodes n ON n.id = v.id WHERE ${isAsBefore} ORDER BY n.id FOR NO KEY UPDATE OF n)
  UPDATE nodes n SET ${assignments}, superseded_certificates = (
    SELECT coalesce(jsonb_object_agg(key, value), '{}'::jsonb) FROM (
      SELECT key, value FROM jsonb_each_text(n.superseded_certificates)
      UNION SELECT key, value FROM jsonb_each_text(v.replaced)) AS entries
    WHERE value COLLATE "C" > v.now COLLATE "C")
  FROM v, mine WHERE n.id = v.id AND mine.id = n.id AND ${isAsBefore} RETURNING n.id AS "id"`
