import { LimitError, ValidationError } from '../../../base/errors.ts'

/** The path of every refusal of an upload: the mutation's `input.archive`. */
const archiveInput = ['input', 'archive'] as const

/**
 * A file name as a refusal shows it. Names come from the archive, so unprintable characters are escaped and a long name
 * is cut.
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

/** A file breaks a rule. */
export function refuseFile(name: string, reason: string): ValidationError {
  return ValidationError.at(archiveInput, 'UNUSABLE', `${show(name)}: ${reason}`)
}

/** The archive itself breaks a rule; `reason` is a predicate: "is not …", "ends …". */
export function refuseArchive(reason: string): ValidationError {
  return ValidationError.at(archiveInput, 'UNUSABLE', `the archive ${reason}`)
}

/** A file exceeds a limit. */
export function fileTooLarge(name: string, reason: string): LimitError {
  return new LimitError(`${show(name)}: ${reason}`)
}

/** The archive exceeds a limit. */
export function archiveTooLarge(reason: string): LimitError {
  return new LimitError(`the archive ${reason}`)
}
