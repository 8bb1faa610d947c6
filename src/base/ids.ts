import { randomUUID } from 'node:crypto'

/** A fresh row id: UUID version 4 (RFC 9562), lower case. */
export const newId = (): string => randomUUID()

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether a text from outside (a path of a URL, say) has the form of an id. */
export const isId = (text: string): boolean => uuid.test(text)
