import { InvalidArgumentError } from 'commander'

import { isId } from '../../base/ids.ts'

/** Reads ids of a command line. @throws InvalidArgumentError */
export const tenantId = (text: string): string => uuid(text, 'a tenant')
export const credentialId = (text: string): string => uuid(text, 'a credential')

function uuid(text: string, ofWhat: string): string {
  if (!isId(text.toLowerCase())) throw new InvalidArgumentError(`the id of ${ofWhat} is a UUID`)
  return text.toLowerCase()
}
