import { InvalidArgumentError } from 'commander'

import { isId } from '../base/ids.ts'

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Reads a duration of a command line, such as `30m`, in seconds. @throws InvalidArgumentError */
export function durationOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? []
  const length = Number(count) * (unitSeconds[unit] ?? 0)
  if (length < 1 || length > 366 * 86_400) throw new InvalidArgumentError('try 30m, 12h or 90d; at most 366d')
  return length
}

/** Reads ids of a command line. @throws InvalidArgumentError */
export const tenantId = (text: string): string => uuid(text, 'a tenant')
export const clusterId = (text: string): string => uuid(text, 'a cluster')
export const credentialId = (text: string): string => uuid(text, 'a credential')

function uuid(text: string, ofWhat: string): string {
  if (!isId(text.toLowerCase())) throw new InvalidArgumentError(`the id of ${ofWhat} is a UUID`)
  return text.toLowerCase()
}
