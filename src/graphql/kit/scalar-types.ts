import type { SpooledFile } from '../../base/limits/spool.ts'

/** The scalars of the schema, and for each the types that a resolver receives and returns. */
export type Scalars = {
  UUID: { Input: string; Output: string }
  DateTimeISO: { Input: Date; Output: Date }
  Port: { Input: number; Output: number }
  IP: { Input: string; Output: string }
  CIDR: { Input: string; Output: string }
  URL: { Input: URL; Output: URL | string }
  PositiveInt: { Input: number; Output: number }
  NonNegativeInt: { Input: number; Output: number }
  File: { Input: SpooledFile; Output: never }
}
