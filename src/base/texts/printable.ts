/**
 * A text from outside, for a terminal: control characters, which could move the cursor or change earlier output, are
 * written as escapes (`\u001b`), and so are the marks that change the writing direction, and halves of surrogate pairs.
 */
export const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu,
    escaped,
  )

/**
 * The same on one line, and no longer than `most` characters: for logs, and for texts that a stranger may have sent.
 */
export function printableLine(text: string, most: number): string {
  const line = printable(text.slice(0, most + 1).replaceAll(/\s+/g, ' ')).trim()
  return line.length > most ? `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : line
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
