import type { TestApp } from './app.ts'
import { mutate } from './mutate.ts'

export interface Warning {
  readonly code: string
  readonly path: readonly string[]
  readonly message: string
}

const shown = 'warnings { code path message }'

/** Makes a change; returns its warnings, and fails where it was refused. */
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

/** The same, looked at before: what the plan and the payload of the dry run say must be what the change says then. */
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

/** Which warnings these are, and of what: `CODE input.path`. */
export const kindsOf = (warnings: readonly Warning[]): string[] =>
  warnings.map(({ code, path }) => `${code} ${path.join('.')}`)
