/** An error as the log stores it. */
export interface ErrorDescription {
  readonly type: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  readonly cause?: ErrorDescription
}

/** Orrery's tokens, JWTs, and any text after `Bearer`. */
const secrets = /\bor[ncslpe]_[\w-]{20,}|\beyJ[\w-]{8,}(?:\.[\w-]*)*|(?<=\bBearer\s+)[\w.~+/=-]+/gi

/** Removes everything that looks like a credential from a text for the log. */
export const withoutSecrets = (text: string): string => text.replace(secrets, '[secret]')

/**
 * Describes an error for the log: its name, message, code, stack and causes, and nothing else. Errors hold more, which
 * must not be logged: a GraphQL error the query's text, a driver's error the row's values.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutSecrets(String(error)) }
  return {
    type: error.name,
    message: withoutSecrets(error.message),
    ...(error.stack === undefined ? {} : { stack: withoutSecrets(error.stack) }),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error.cause === undefined || depth >= 5 ? {} : { cause: describeError(error.cause, depth + 1) }),
  }
}
