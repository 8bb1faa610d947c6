import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'

import type { Command } from 'commander'

import { minimumSecretLength } from '../auth/keys.ts'
import { keepNext, readNext, readPrevious, readSecret, takeNext } from '../auth/secret.ts'
import { readConfig, type Config } from '../config.ts'
import type { Resealed } from '../domain/pki/reseal.ts'
import { UsageError } from './usage-error.ts'

interface RotateOptions {
  readonly newSecretFile?: string
  readonly yes: boolean
}

/** `orrery secret rotate`: seals all keys of the database again under another secret. It needs no server. */
export function addSecretCommands(program: Command): void {
  const secret = program.command('secret').description('manage the secret that seals all keys')
  secret
    .command('rotate')
    .description('seal CA keys and bundle-signing keys again under a new secret; stop the servers first')
    .option(
      '--new-secret-file <file>',
      'the new secret; - reads standard input (default for data/secret: a generated one)',
    )
    .option('--yes', 'rotate even if servers seem to run', false)
    .action(async ({ newSecretFile, yes }: RotateOptions) => {
      const config = readConfig()
      const given = newSecretFile === undefined ? null : await readGiven(newSecretFile)
      const done = await (config.secret === null ? rotateKept(config, given, yes) : rotateOwn(config, given, yes))
      console.log(done)
    })
}

/** The secret in the data folder: this command replaces it, and keeps it as an earlier one. */
async function rotateKept(config: Config, given: string | null, yes: boolean): Promise<string> {
  const { dataDir } = config
  const present = await readSecret(dataDir)
  if (present === null) throw new UsageError(`There is no ${dataDir}/secret to rotate.`)
  const cutOff = await readNext(dataDir)
  if (cutOff !== null && given !== null && given !== cutOff) {
    throw new UsageError(`A rotation was cut off: finish it first, without --new-secret-file (${dataDir}/secret.next).`)
  }
  const next = cutOff ?? given ?? randomBytes(32).toString('hex')
  if (next === present && cutOff === null) throw new UsageError('The new secret is the old one.')
  const old = [present, ...config.previousSecrets, ...(await readPrevious(dataDir))]
  const resealed = await reseal(config, next, { old, yes, before: () => keepNext(dataDir, next) })
  await takeNext(dataDir)
  return `${summary(resealed)}
${dataDir}/secret is the new secret; the old one is in ${dataDir}/secret.previous, so that tokens and JWTs made under it
still hold. Start the server. Once every node was seen again and every cluster token used or rotated, delete that file.`
}

/** A secret that the operator configures: the operator sets the new one. */
async function rotateOwn(config: Config, given: string | null, yes: boolean): Promise<string> {
  const present = config.secret ?? ''
  if (given === null && config.previousSecrets.length === 0) {
    throw new UsageError('Name the new secret with --new-secret-file; - reads it from standard input.')
  }
  if (given === present) throw new UsageError('The new secret is the old one.')
  const old = given === null ? config.previousSecrets : [present, ...config.previousSecrets]
  const resealed = await reseal(config, given ?? present, { old, yes })
  return `${summary(resealed)}
Set ORRERY_SECRET to the new secret and ORRERY_SECRET_PREVIOUS to the old one on every instance, then start them: tokens
and JWTs made under the old one still hold. Once every node was seen again and every cluster token used or rotated,
remove ORRERY_SECRET_PREVIOUS.`
}

interface Reseal {
  readonly old: readonly string[]
  readonly yes: boolean
  /** Stores what must be kept before the first key is sealed under the new secret. */
  readonly before?: () => Promise<void>
}

async function reseal(config: Config, secret: string, { old, yes, before }: Reseal): Promise<Resealed> {
  // Loaded here, so that an agent, which is the same program, does not load a database into memory.
  const [{ systemOperator }, { openDatabase }, { resealAll }, { listHealthyReplicas }, { Vault }] = await Promise.all([
    import('../auth/system.ts'),
    import('../db/client/client.ts'),
    import('../domain/pki/reseal.ts'),
    import('../domain/replicas/replicas.ts'),
    import('../domain/pki/vault.ts'),
  ])
  const database = await openDatabase(config.databaseUrl)
  try {
    const operator = systemOperator(database)
    const running = await listHealthyReplicas(operator)
    if (running.length > 0 && !yes) {
      const addresses = running.map(({ address }) => address).join(', ')
      throw new UsageError(
        `Servers seem to run (${addresses}): they could not open the keys any more. Stop them and wait half a minute, ` +
          'or give --yes.',
      )
    }
    await before?.()
    return await resealAll(operator, new Vault(secret, old))
  } finally {
    await database.close()
  }
}

async function readGiven(file: string): Promise<string> {
  const secret = (file === '-' ? await text(process.stdin) : await readSecretFile(file)).trim()
  if (secret.length >= minimumSecretLength) return secret
  throw new UsageError(`The new secret must have at least ${minimumSecretLength} characters; try: openssl rand -hex 32`)
}

async function readSecretFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`The new secret cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const summary = ({ clusters, keys }: Resealed): string => `${keys} keys of ${clusters} clusters are sealed again.`
