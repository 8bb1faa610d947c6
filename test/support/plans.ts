import type { Database } from '../../src/db/client/client.ts'

/**
 * How the engine would run a statement with unknown values, as text. PostgreSQL prefers to scan a small table instead
 * of an index; here it is told not to, so that a `Seq Scan` means that there is no other way.
 */
export async function planOf({ client, engine }: Database, statement: string): Promise<string> {
  if (engine === 'sqlite') {
    const values = (statement.match(/\?/g) ?? []).map(() => 1)
    const steps = await client.$queryRawUnsafe<{ detail: string }[]>(`EXPLAIN QUERY PLAN ${statement}`, ...values)
    return steps.map(({ detail }) => detail).join('\n')
  }
  return client.$transaction(async (tx) => {
    await tx.$executeRawUnsafe('SET LOCAL enable_seqscan = off')
    const steps = await tx.$queryRawUnsafe<{ 'QUERY PLAN': string }[]>(`EXPLAIN (GENERIC_PLAN) ${statement}`)
    return steps.map((step) => step['QUERY PLAN']).join('\n')
  })
}
