import { randomBytes, randomUUID } from 'node:crypto'

/** A fresh row id: UUID version 4 (RFC 9562), lower case. */
export const newId = (): string => randomUUID()

let latest = { at: 0, count: 0 }

/**
 * A fresh id in the order of time: UUID version 7 (RFC 9562). Within a millisecond, the ids of one process count up; a
 * clock that is set back does not bring them out of order.
 */
export function newTimeId(now = Date.now()): string {
  const isNew = now > latest.at
  latest = isNew ? { at: now, count: 0 } : { at: latest.at, count: latest.count + 1 }
  // The twelve bits of the count are used up: the next millisecond is borrowed.
  if (latest.count > 0xfff) latest = { at: latest.at + 1, count: 0 }
  const time = latest.at.toString(16).padStart(12, '0')
  const random = randomBytes(8)
  random.writeUInt8((random.readUInt8(0) & 0x3f) | 0x80, 0)
  const rest = random.toString('hex')
  const count = latest.count.toString(16).padStart(3, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${rest.slice(0, 4)}-${rest.slice(4)}`
}

/** No id that `newTimeId` makes at this moment or later is lower. */
export function earliestIdAt(moment: Date): string {
  const time = Math.max(0, moment.getTime()).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether a text from outside (a path of a URL, say) has the form of an id. */
export const isId = (text: string): boolean => uuid.test(text)
