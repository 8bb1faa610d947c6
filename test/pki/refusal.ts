import { PkiError, type PkiSubject } from '../../src/pki/errors.ts'

/** What a call was refused with, as `subject: message`; any other failure, or none, fails the test. */
export function refusal(call: () => unknown): `${PkiSubject}: ${string}` {
  try {
    call()
  } catch (error) {
    return describeRefusal(error)
  }
  throw new Error('was accepted')
}

/** The same of a promise. */
export const refusalOf = (promise: Promise<unknown>): Promise<`${PkiSubject}: ${string}`> =>
  promise.then(() => {
    throw new Error('was accepted')
  }, describeRefusal)

function describeRefusal(error: unknown): `${PkiSubject}: ${string}` {
  if (error instanceof PkiError) return `${error.subject}: ${error.message}`
  throw error
}
