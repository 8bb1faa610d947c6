/**
 * A text from elsewhere, for a terminal: control characters, which could move the cursor or change what was printed
 * before, are written as escapes (`\u001b`), and so are the marks that turn the direction of writing.
 */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escaped)

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
