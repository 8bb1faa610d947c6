import type { Command } from 'commander'

import { printable } from '../base/texts/printable.ts'
import { readConfig } from '../config.ts'
import type { Credential } from '../db/client/types.ts'
import { tenantId } from './option-values.ts'
import { withDatabase } from './with-database.ts'

const heads = ['ID', 'KIND', 'ROLE', 'TENANT', 'EXPIRES', 'LAST USED', 'ENDS IN', 'CLUSTERS', 'NAME']

/** `orrery token list`: the credentials of people, one to a line, whose columns are separated by tabs. */
export function addTokenListCommand(token: Command): void {
  token
    .command('list')
    .description(
      'list access tokens, former ones that still work (replaced_token), and sessions, with their ids; never the tokens ' +
        'themselves',
    )
    .option('--tenant <id>', 'only those of this tenant', tenantId)
    .action(async ({ tenant }: { tenant?: string }) => {
      await withDatabase(readConfig(), async ({ operator }) => {
        const { peoplesCredentials } = await import('../domain/tenants/access-tokens.ts')
        console.log(heads.join('\t'))
        for await (const credential of peoplesCredentials(operator, tenant)) console.log(lineOf(credential))
      })
    })
}

function lineOf({ id, kind, role, tenantId, expiresAt, lastUsedAt, lastFour, clusterIds, name }: Credential): string {
  const columns = [
    id,
    kind,
    role,
    tenantId,
    timeText(expiresAt),
    timeText(lastUsedAt),
    lastFour,
    clustersText(clusterIds),
    name,
  ]
  return columns.map((column) => printable(column ?? '-')).join('\t')
}

/** Only lists of ids are written. */
const clustersText = (clusterIds: Credential['clusterIds']): string | null =>
  Array.isArray(clusterIds) ? clusterIds.join(' ') : null

const timeText = (time: Date | null): string | null => time?.toISOString().replace(/:\d\d\.\d{3}Z$/, 'Z') ?? null
