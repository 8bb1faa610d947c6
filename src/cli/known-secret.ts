import { readSecret } from '../auth/secret.ts'
import type { Config } from '../config.ts'
import { UsageError } from './usage-error.ts'

/**
 * The secret of the installation, for commands that need it and do not create one.
 * @throws UsageError when there is none yet
 */
export async function knownSecret({ secret, dataDir }: Config): Promise<string> {
  const known = secret ?? (await readSecret(dataDir))
  if (known !== null) return known
  throw new UsageError(
    `There is no secret yet: set ORRERY_SECRET, or start the server once (it makes ${dataDir}/secret).`,
  )
}
