import { LimitError, ValidationError } from '../../../base/errors.ts'

/** Where every refusal of an upload points to: the mutation's `input.archive`. */
const INPUT = ['input', 'archive'] as const

/**
 * A file name as a refusal shows it: names come from the archive, so whatever does not print is escaped, and a long
 * one is cut.
 */
export function show(name: string): string {
  const cut = name.length > 255 ? `${name.slice(0, 255)}…` : name
  return /^[^\p{C}\p{Zl}\p{Zp}\s"\\](?:[^\p{C}\p{Zl}\p{Zp}"\\]*[^\p{C}\p{Zl}\p{Zp}\s"\\])?$/u.test(cut)
    ? cut
    : escapeUnprintable(JSON.stringify(cut))
}

function escapeUnprintable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
}

/** The file breaks a rule. */
export function refuseFile(name: string, reason: string): ValidationError {
  return ValidationError.at(INPUT, `${show(name)}: ${reason}`)
}

/** The archive itself breaks a rule; `reason` starts with what it says of the archive: "is not …", "ends …". */
export function refuseArchive(reason: string): ValidationError {
  return ValidationError.at(INPUT, `the archive ${reason}`)
}

/** The file is larger than a bound. */
export function fileTooLarge(name: string, reason: string): LimitError {
  return new LimitError(`${show(name)}: ${reason}`)
}

/** The archive is larger than a bound. */
export function archiveTooLarge(reason: string): LimitError {
  return new LimitError(`the archive ${reason}`)
}
