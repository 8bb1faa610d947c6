import { isUtf8 } from 'node:buffer'

/** What is wrong with a YAML file, and the line, counted from 1. */
export interface YamlProblem {
  readonly line: number
  readonly reason: string
}

/** The line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/**
 * Characters that YAML readers interpret differently, so that a file could mean one thing here and another in Nebula
 * (whose reader, go-yaml, follows YAML 1.1): NEL, LS, PS and a bare CR end a line and a comment there, control
 * characters are errors.
 */
const contestedCharacters =
  /[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|\r(?!\n)|[\u2028\u2029\ufeff]/u

/** Decodes a YAML file, or returns why it is not text. A byte order mark at its start is dropped. */
export function decodeYaml(content: Uint8Array): string | YamlProblem {
  if (!isUtf8(content)) return { line: firstBrokenLine(content), reason: 'is not valid UTF-8' }
  const text = new TextDecoder().decode(content)
  const found = contestedCharacters.exec(text)
  if (found === null) return text
  const code = (text.codePointAt(found.index) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return { line: lineAt(text, found.index), reason: `has the character U+${code}, which YAML readers take differently` }
}

/** In UTF-8, the byte of a line break is never part of another character, so lines can be checked one by one. */
function firstBrokenLine(content: Uint8Array): number {
  let line = 1
  for (let start = 0; ; line += 1) {
    const end = content.indexOf(0x0a, start)
    if (end === -1 || !isUtf8(content.subarray(start, end))) return line
    start = end + 1
  }
}
