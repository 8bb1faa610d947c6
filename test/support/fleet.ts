import { randomUUID } from 'node:crypto'

import type { Database } from '../../src/db/client/client.ts'
import { insertTenant, clusterData } from './tenants.ts'

/** The ids of a large fleet. */
export interface Fleet {
  readonly tenantId: string
  /** The first has nine tenths of the nodes. */
  readonly clusterIds: readonly [string, string]
}

/**
 * Writes many nodes with a few statements: every 20th of the group `web`, each seen at another time, addresses one after
 * the other. PostgreSQL’s statistics are up to date afterwards, as its own work keeps them.
 */
export async function insertFleet(database: Database, count: number): Promise<Fleet> {
  const { client, engine } = database
  const tenantId = await insertTenant(database, `fleet ${randomUUID()}`)
  const clusterIds = [randomUUID(), randomUUID()] as const
  for (const id of clusterIds) await client.cluster.create({ data: clusterData(tenantId, id, id) })
  const [small, large] = [Math.floor(count / 10), count]
  for (const [clusterId, from, to] of [
    [clusterIds[1], 0, small],
    [clusterIds[0], small, large],
  ] as const) {
    for (let at = from; at < to; at += chunk) {
      const end = Math.min(at + chunk, to)
      await client.$executeRawUnsafe(engine === 'sqlite' ? sqlite(at, end) : postgresql(at, end), tenantId, clusterId)
    }
  }
  if (engine === 'postgresql') await client.$executeRawUnsafe('VACUUM ANALYZE nodes')
  return { tenantId, clusterIds }
}

/** Nodes in one statement. */
const chunk = 2500

const columns = `INSERT INTO nodes (id, tenant_id, cluster_id, name, token_hash, routes, groups, overlay_ip, certificate,
  certificate_fingerprint, certificate_expires_at, created_at, last_seen_at, running_config_version)`

const address = (a: string, b: string, c: string) => `'10.' || (${a}) || '.' || (${b}) || '.' || (${c})`

/** A number of four digits that looks drawn, for the time of a row. */
const drawn = '(i * 7919 % 10007)'

const sqlite = (from: number, to: number): string => `${columns}
  WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to})
  SELECT printf('%08x-0000-4000-8000-%012x', i, abs(random() % 1000000000)), ?, ?, printf('node-%06d', i), printf('hash-%d-%d', i, random()), '[]',
    CASE WHEN i % 20 = 0 THEN '["web","all"]' ELSE '["all"]' END, ${address('i / 65536', 'i / 256 % 256', 'i % 256')},
    printf('certificate %1000d', i), printf('%064x', i * 2654435761),
    strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', ${drawn} || ' minutes'),
    strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-' || ${drawn} || ' hours'),
    CASE WHEN i % 7 > 0 THEN strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-' || ${drawn} || ' seconds') END, i % 5 FROM n`

const postgresql = (from: number, to: number): string => `${columns}
  SELECT gen_random_uuid()::text, $1, $2, 'node-' || lpad(i::text, 6, '0'), 'hash-' || i || gen_random_uuid(), '[]',
    CASE WHEN i % 20 = 0 THEN '["web","all"]'::jsonb ELSE '["all"]' END, ${address('i / 65536', 'i / 256 % 256', 'i % 256')},
    'certificate ' || lpad(i::text, 1000), lpad(to_hex(i::bigint * 2654435761), 64, '0'),
    now() + ${drawn} * interval '1 minute', now() - ${drawn} * interval '1 hour',
    CASE WHEN i % 7 > 0 THEN now() - ${drawn} * interval '1 second' END, i % 5
  FROM generate_series(${from}, ${to - 1}) AS n(i)`
