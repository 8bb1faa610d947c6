import { once } from 'node:events'

import { type Command, InvalidArgumentError } from 'commander'

import { deriveKeys } from '../auth/keys.ts'
import { readOthers } from '../auth/secret.ts'
import type { Operator } from '../auth/scope.ts'
import { isId } from '../base/ids.ts'
import { readConfig } from '../config.ts'
import type { Verified } from '../domain/audit/verify.ts'
import { knownSecret } from './known-secret.ts'

interface VerifyOptions {
  readonly tenant?: string
}

interface ExportOptions extends VerifyOptions {
  readonly since: Date
}

/** `orrery audit verify | export`: checks the audit trail, and prints it. They need the database, not the server. */
export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('check the audit trail, or export it')
  audit
    .command('verify')
    .description('find events that were changed, removed or put in; exits with 1 if there are any')
    .option('--tenant <id>', 'only the chain of this tenant, or control-plane', chainName)
    .action(async ({ tenant }: VerifyOptions) => {
      const config = readConfig()
      const secret = await knownSecret(config)
      const others = [...config.previousSecrets, ...(config.secret === null ? await readOthers(config.dataDir) : [])]
      const keys = { present: deriveKeys(secret).audit, previous: others.map((one) => deriveKeys(one).audit) }
      const { verifyAudit } = await import('../domain/audit/verify.ts')
      await withOperator(config.databaseUrl, async (operator) => {
        for await (const verified of verifyAudit(operator, keys, tenant ?? null)) {
          console.log(lineOf(verified))
          if (verified.problem !== null) process.exitCode = 1
        }
      })
    })
  audit
    .command('export')
    .description('print events as JSON lines, chain by chain, the oldest first')
    .requiredOption('--since <time>', 'from this day or time on, such as 2026-11-01 or 2026-11-01T12:00:00Z', moment)
    .option('--tenant <id>', 'only the chain of this tenant, or control-plane', chainName)
    .action(async ({ since, tenant }: ExportOptions) => {
      const { exportAudit } = await import('../domain/audit/export.ts')
      await withOperator(readConfig().databaseUrl, async (operator) => {
        for await (const lines of exportAudit(operator, { since, chain: tenant ?? null })) {
          // A slow reader holds the export, not the memory.
          if (!process.stdout.write(lines)) await once(process.stdout, 'drain')
        }
      })
    })
}

function lineOf({ chain, rows, head, problem }: Verified): string {
  const end = head === null ? '' : `, up to ${head.sequence} ${head.hash}`
  return problem === null ? `${chain}: ${rows} events are whole${end}` : `${chain}: ${problem}`
}

async function withOperator(url: string, work: (operator: Operator) => Promise<void>): Promise<void> {
  // Loaded here, so that an agent, which is the same program, does not load a database into memory.
  const [{ systemOperator }, { openDatabase }] = await Promise.all([
    import('../auth/system.ts'),
    import('../db/client/client.ts'),
  ])
  const database = await openDatabase(url)
  try {
    await work(systemOperator(database))
  } finally {
    await database.close()
  }
}

function chainName(text: string): string {
  const chain = text.toLowerCase()
  if (chain !== 'control-plane' && !isId(chain)) throw new InvalidArgumentError('the id of a tenant is a UUID')
  return chain
}

function moment(text: string): Date {
  const time = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('try 2026-11-01 or 2026-11-01T12:00:00Z')
  }
  return time
}
