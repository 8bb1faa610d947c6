/** What changed in a version, and who changed it. */
export interface VersionMessage {
  readonly changes: readonly string[]
  readonly authors: readonly string[]
}

/** The server writes a line for each change, with its author in brackets at the end. */
export function readVersionMessage(message: string | null): VersionMessage {
  const lines = (message ?? '').split('\n').filter((line) => line !== '')
  const read = lines.map((line) => /^(?<change>.+) \((?<author>[^()]+)\)$/.exec(line)?.groups ?? { change: line })
  return {
    changes: read.map(({ change = '' }) => change),
    authors: [...new Set(read.flatMap(({ author }) => author ?? []))],
  }
}
