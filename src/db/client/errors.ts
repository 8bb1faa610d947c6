/** A refusal of the database: a duplicate value, a reference to a missing row, or no row to change. */
export interface Refusal {
  readonly kind: 'unique' | 'foreignKey' | 'missing'
}

/**
 * Reads a Prisma error; null when it is not one of the refusals that the domain expects.
 * The codes are Prisma's own (its error reference), the same on both engines.
 */
export function refusal(error: unknown): Refusal | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  switch (error.code) {
    case 'P2002':
      return { kind: 'unique' }
    case 'P2003':
      return { kind: 'foreignKey' }
    case 'P2025':
      return { kind: 'missing' }
    default:
      return null
  }
}
