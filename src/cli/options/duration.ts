import { InvalidArgumentError } from 'commander'

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Reads a duration of a command line, such as `30m`, in seconds. @throws InvalidArgumentError */
export function durationOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? []
  const length = Number(count) * (unitSeconds[unit] ?? 0)
  if (length < 1 || length > 366 * 86_400) throw new InvalidArgumentError('try 30m, 12h or 90d; at most 366d')
  return length
}
