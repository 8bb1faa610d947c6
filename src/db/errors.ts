import { Prisma } from './generated/sqlite/client.ts'

/**
 * What the database refused, in terms of the schema. Prisma's errors of both engines carry the driver's own report
 * (`meta.driverAdapterError.cause`), which names columns; only the code is the same everywhere.
 */
export type Refusal =
  { kind: 'unique'; columns: readonly string[] } | { kind: 'foreignKey' } | { kind: 'missing' } | null

/** Reads a Prisma error; null where it is none of the refusals that the domain expects. */
export function refusal(error: unknown): Refusal {
  if (!(error instanceof Error) || !('code' in error)) return null
  switch (error.code) {
    case 'P2002':
      return { kind: 'unique', columns: uniqueColumns(error) }
    case 'P2003':
      return { kind: 'foreignKey' }
    case 'P2025':
      return { kind: 'missing' }
    default:
      return null
  }
}

function uniqueColumns(error: Error): readonly string[] {
  const meta = (error as Prisma.PrismaClientKnownRequestError).meta as
    | {
        driverAdapterError?: {
          cause?: { constraint?: { fields?: string[]; index?: string } }
        }
      }
    | undefined
  const constraint = meta?.driverAdapterError?.cause?.constraint
  return (constraint?.fields ?? []).map((field) => field.replaceAll('"', ''))
}
