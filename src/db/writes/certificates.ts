import { setImmediate } from 'node:timers/promises'

import type { Database } from '../client/client.ts'
import { timeText } from '../reads/row-values.ts'
import type { Engine } from '../client/types.ts'

/** A certificate that was signed for a node, and the one whose place it takes. Plain data: it goes through threads. */
export interface ResignedNode {
  readonly nodeId: string
  /** Of the certificate that the node had when this one was signed; null where it had none. */
  readonly previousFingerprint: string | null
  /** What is valid on and is to be revoked with the node: by the fingerprint of each block, when it expires (ISO 8601). */
  readonly replaced: Readonly<Record<string, string>>
  /** PEM: the block of the cluster's version, behind one of version 1 where both are of use. */
  readonly certificate: string
  /** Of the certificate of the cluster's version. */
  readonly fingerprint: string
  readonly expiresAt: Date
}

/** Writes the certificates of whole clusters, of whatever tenant: for the server itself, which signed them. */
export interface CertificateStore {
  /**
   * Gives each node its new certificate where it still has the one that this was made for, and adds that one to the
   * node's superseded certificates; those that have expired are let go. A statement and a transaction for each five
   * hundred nodes, so that others write in between.
   * @returns false as soon as a node had another certificate meanwhile, or is gone; those after it may not be written
   */
  replace(resigned: readonly ResignedNode[]): Promise<boolean>
}

/** Nodes of one statement: on SQLite, some ten milliseconds in which no other writes. */
const chunkSize = 500

/** Makes the one writer of certificates that were signed for many nodes at once. */
export function certificateStore({ engine, bulk }: Database): CertificateStore {
  const statements = [engine === 'sqlite' ? sqliteStatement : postgresqlStatement]
  return {
    async replace(resigned) {
      const now = new Date().toISOString()
      for (let at = 0; at < resigned.length; at += chunkSize) {
        const chunk = resigned.slice(at, at + chunkSize)
        const [written = []] = await bulk({
          statements,
          chunks: [JSON.stringify(chunk.map((one) => valuesOf(one, now)))],
        })
        if (written.length < chunk.length) return false
        await setImmediate()
      }
      return true
    },
  }
}

/** In the order that `given` reads them in. */
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

/** Whether node `n` has the certificate still that `v` was made for. What it superseded changes only together with it. */
const isAsBefore = 'n.certificate_fingerprint IS NOT DISTINCT FROM v.previous'

const assignments = `certificate = v.certificate, certificate_fingerprint = v.fingerprint,
  certificate_expires_at = v.expires_at`

/** The times are texts of one form, which order as the times do. */
const sqliteStatement = `UPDATE nodes AS n SET ${assignments}, superseded_certificates = (
    SELECT json_group_object(key, value) FROM (
      SELECT key, value FROM json_each(n.superseded_certificates) UNION SELECT key, value FROM json_each(v.replaced))
    WHERE value > v.now)
  FROM (${given('sqlite')}) v WHERE n.id = v.id AND ${isAsBefore} RETURNING id AS "id"`

/** Locks the rows in the order of their ids, so that two instances that sign one cluster do not get into a deadlock. */
const postgresqlStatement = `WITH v AS MATERIALIZED (${given('postgresql')}),
  mine AS MATERIALIZED (
    SELECT n.id FROM v JOIN nodes n ON n.id = v.id WHERE ${isAsBefore} ORDER BY n.id FOR NO KEY UPDATE OF n)
  UPDATE nodes n SET ${assignments}, superseded_certificates = (
    SELECT coalesce(jsonb_object_agg(key, value), '{}'::jsonb) FROM (
      SELECT key, value FROM jsonb_each_text(n.superseded_certificates)
      UNION SELECT key, value FROM jsonb_each_text(v.replaced)) AS entries
    WHERE value COLLATE "C" > v.now COLLATE "C")
  FROM v, mine WHERE n.id = v.id AND mine.id = n.id AND ${isAsBefore} RETURNING n.id AS "id"`
