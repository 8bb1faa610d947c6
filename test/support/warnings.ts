import type { TestApp } from './app.ts'
import { mutate } from './mutate.ts'

export interface Warning {
  readonly code: string
  readonly path: readonly string[]
  readonly message: string
}

const shown = 'warnings { code path message }'

/** Makes a change; returns its warnings, and fails when it was refused. */
export async function warningsOf(
  app: TestApp,
  token: string,
  mutation: string,
  input: object,
): Promise<readonly Warning[]> {
  const { warnings, ...rest } = await mutate<{ warnings?: readonly Warning[] }>(app, token, mutation, input, shown)
  if (!warnings) throw new Error(`${mutation} was refused: ${JSON.stringify(rest)}`)
  return warnings
}

/** The same after a dry run: the dry run's plan and payload must have the warnings that the change then has. */
export async function triedWarnings(
  app: TestApp,
  token: string,
  mutation: string,
  input: object,
): Promise<readonly Warning[]> {
  const tried = await mutate<{ warnings: unknown; plan: { warnings: unknown } }>(
    app,
    token,
    mutation,
    { ...input, dryRun: true },
    `${shown} plan { ${shown} }`,
  )
  const warnings = await warningsOf(app, token, mutation, input)
  const [said, planned] = [JSON.stringify(tried.warnings), JSON.stringify(tried.plan.warnings)]
  if (said === JSON.stringify(warnings) && planned === said) return warnings
  throw new Error(`${mutation} warns otherwise than its dry run: ${JSON.stringify({ tried, warnings }, null, 2)}`)
}

/** The kinds of the warnings, and what they are about: `CODE input.path`. */
export const kindsOf = (warnings: readonly Warning[]): string[] =>
  warnings.map(({ code, path }) => `${code} ${path.join('.')}`)
