/** How long `before` and `after` may be, in characters of JSON, and one value in them. */
const limits = { all: 8192, value: 1024 }

/** The columns of one object, by name. */
export type Values = Readonly<Record<string, unknown>>

/** Whatever a column's name suggests to be a secret is one, unless it is named here. */
const secretName = /hash|key|token|secret|password|code/i
const published = new Set(['publicKey', 'bundlePublicKey'])

/** What follows from a change, or only serves the next one. */
const unrecorded = new Set([
  ...['data', 'configVersion', 'pendingChanges', 'unpublishedSince', 'nextOverlayIp', 'pkiCrlExpiries'],
])

/** The columns of a change as they are recorded: without secrets, of which only is said that they changed. */
export const shown = (values: Values): Values =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name, value]) => value !== undefined && !unrecorded.has(name))
      .map(([name, value]) => [name, isSecret(name) && value !== null ? '(secret)' : shortened(value)]),
  )

const isSecret = (name: string) => secretName.test(name) && !published.has(name)

function shortened(value: unknown): unknown {
  // For a value that JSON does not have, it is undefined.
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined || text.length <= limits.value) return value
  return `${text.slice(0, limits.value / 2)}… (cut: ${text.length} characters)`
}

/** The columns of several objects as JSON that is not too long: what does not fit is counted. Null for nothing. */
export function jsonOfObjects(objects: ReadonlyMap<string, Values>): string | null {
  const entries = [...objects].filter(([, values]) => Object.keys(values).length > 0)
  const fitting: [string, Values][] = []
  let length = 0
  for (const [name, values] of entries) {
    length += name.length + JSON.stringify(values).length
    // Room for the braces, the quotes and the count.
    if (length + fitting.length * 8 > limits.all - 100) break
    fitting.push([name, values])
  }
  if (entries.length === 0) return null
  const left = entries.length - fitting.length
  return JSON.stringify({ ...Object.fromEntries(fitting), ...(left > 0 && { '…': `${left} more objects, cut` }) })
}
