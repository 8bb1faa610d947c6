import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'

export type { Logger }

/** Keys whose values are secrets in any object, in case an object that carries one is ever logged. */
const secretKeys = ['authorization', 'cookie', 'token', 'nodeToken', 'clusterToken', 'secret', 'password', 'privateKey']

/**
 * The process's log: one JSON object per line (pino), times as ISO 8601, secrets replaced.
 * @param level pino's level, or `silent`
 * @param destination standard error when absent: standard output is for what a command prints
 */
export function createLog(level: string, destination: DestinationStream = process.stderr): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      redact: {
        paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[secret]',
      },
    },
    destination,
  )
}
