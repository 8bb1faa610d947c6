import type { IssueCode as Code } from '../../base/issues.ts'
import { builder } from './builder.ts'

const codes: Record<Code, string> = {
  REQUIRED: 'The value is missing or empty.',
  TOO_LONG: 'The text has too many characters or bytes.',
  TOO_MANY: 'The list has too many elements.',
  OUT_OF_RANGE: 'The number, version, prefix length or address is not between the least and the greatest allowed one.',
  INVALID_FORMAT: 'The value is not written as such a value has to be.',
  INVALID_CHARACTER: 'The text has a character that it may not have, such as a control character.',
  DUPLICATE: 'The list has the element already.',
  NOT_ALLOWED: 'The value is well written, but is not allowed here; the message says which values are.',
  OVERLAPS: 'The network or address shares addresses with a network that it must be apart from.',
  EXCLUSIVE: 'Only one of several values may be given.',
  UNUSABLE: 'The key, certificate or archive cannot be used; the message says why.',
}

export const IssueCode = builder.enumType('ValidationIssueCode', {
  description:
    'What is wrong with a value, for programs. A code keeps its meaning; new ones may be added, so treat an unknown one as any broken rule.',
  values: Object.fromEntries(Object.entries(codes).map(([value, description]) => [value, { value, description }])) as {
    [Key in Code]: { value: Key; description: string }
  },
})
