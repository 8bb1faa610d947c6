import type { Problem } from '../issues.ts'

/** Characters (UTF-16 units) of any text that the API accepts. Certificates are the longest ones. */
const longestText = 65_536

/** The greatest whole number of a column: both engines store PostgreSQL's `integer`, 32 bits. */
export const greatestInteger = 2_147_483_647

/** C0 and C1 controls, line and paragraph separators, and the marks that change the writing direction. */
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

/** The same without line breaks and tabs, which a text of several lines may have. */
const controlBesideLines = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u

/** Half of a surrogate pair is not a character, and has no UTF-8 (RFC 3629, section 3). */
const loneSurrogate = /\p{Cs}/u

/**
 * Checks that every database and every reader accepts a text: PostgreSQL stores neither a NUL nor half of a surrogate
 * pair; control characters change what a terminal shows. Line breaks and tabs are allowed.
 * @returns the broken rule; null when there is none
 */
export function textProblem(text: string): Problem | null {
  if (text.length > longestText) {
    return { code: 'TOO_LONG', message: `must have at most ${longestText} characters` }
  }
  if (loneSurrogate.test(text)) {
    return { code: 'INVALID_CHARACTER', message: 'must not contain half of a surrogate pair' }
  }
  return controlBesideLines.test(text) ? controlCharacters : null
}

const controlCharacters: Problem = { code: 'INVALID_CHARACTER', message: 'must not contain control characters' }

/** The same for a text of one line, such as a name, which has no line breaks or tabs either. */
export const lineProblem = (text: string): Problem | null =>
  textProblem(text) ?? (control.test(text) ? controlCharacters : null)
