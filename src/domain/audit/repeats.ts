import { createHash } from 'node:crypto'

import * as z from 'zod'

import type { Scope } from '../../auth/scope.ts'
import { BusyError, CallerError, ConflictError, ValidationError } from '../../base/errors.ts'
import { jsonOf } from '../../base/json.ts'
import { nothingKept } from '../../db/audit/event.ts'
import { KeyTakenError, type Actor, type Repeatable } from '../../db/audit/recording.ts'
import type { Vault } from '../pki/vault.ts'
import { check } from '../shared/rules.ts'

/** For how long a result is kept, in milliseconds. */
const lifetime = 24 * 3_600_000
/** Rows that one statement changes. */
const chunk = 500

/** What a mutation made: the object, and the secret that it showed with it. */
const madeSchema = z.object({ id: z.string(), secret: z.string().nullable() })
export type Made = z.infer<typeof madeSchema>

/** What kind of object a mutation makes, or makes a secret for. */
export type MadeType = 'Tenant' | 'Cluster' | 'Node' | 'Credential'

/** One call of a mutation with a key. */
export interface Call {
  readonly actor: Actor
  /** The caller's tenant; null for the control plane's callers. */
  readonly tenantId: string | null
  readonly mutation: string
  readonly type: MadeType
  readonly key: string
  /** The input without the key. */
  readonly input: object
}

/** A call that is made once, however often it is asked for within 24 hours. */
export interface OneCall extends Repeatable {
  readonly inputHash: string
  readonly type: MadeType
  readonly unseal: (sealed: string) => Made | null
}

const keyRule = z.string().regex(/^[\x20-\x7e]{1,64}$/, 'must be 1 to 64 printable ASCII characters')
const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/**
 * Binds a call to its caller and its input. The result is sealed for this call: in another row it does not open.
 * @throws ValidationError when the key breaks the rule
 */
export function oneCall(vault: Vault, { actor, tenantId, mutation, type, key: given, input }: Call): OneCall {
  check(keyRule, given, ['input', 'idempotencyKey'])
  const key = digest([tenantId, actor.kind, actor.credentialId ?? actor.name, mutation, given])
  const inputHash = digest(input)
  return {
    ...{ key, inputHash, type },
    kept: (targets, secret) => {
      const id = targets.find((target) => target.type === type)?.id
      if (id === undefined) throw new Error(`${mutation} made no ${type}`)
      return { idempotencyKey: key, inputHash, sealedResult: vault.seal(JSON.stringify({ id, secret }), key) }
    },
    unseal: (sealed) => (vault.opens(sealed, key) ? jsonOf(madeSchema).parse(vault.unseal(sealed, key)) : null),
  }
}

/**
 * Makes a change, or shows again what the same call has made. Of two calls at the same time one makes it: the other
 * finds the row of the first, or is told to try again.
 * @throws ValidationError when the key was used with other input, ConflictError when the result cannot be shown again
 */
export async function onlyOnce<T>(
  scope: Scope,
  call: OneCall,
  { change, again }: { readonly change: () => Promise<T>; readonly again: (made: Made) => Promise<T> },
): Promise<{ readonly result: T; readonly isAgain: boolean }> {
  const before = await findMade(scope, call)
  if (before) return { result: await again(before), isAgain: true }
  try {
    return { result: await change(), isAgain: false }
  } catch (error) {
    if (!(error instanceof CallerError || error instanceof KeyTakenError)) throw error
    // Another call may have made it meanwhile: then the name is taken by what the caller asked for.
    const meanwhile = await findMade(scope, call)
    if (meanwhile) return { result: await again(meanwhile), isAgain: true }
    throw error instanceof KeyTakenError ? new BusyError({ cause: error }) : error
  }
}

async function findMade({ db }: Scope, { key, inputHash, unseal, type }: OneCall): Promise<Made | null> {
  const select = { at: true, inputHash: true, sealedResult: true }
  const row = await db.auditEvent.findFirst({ where: { idempotencyKey: key }, select })
  if (!row) return null
  const limit = new Date(Date.now() - lifetime)
  if (row.at <= limit) {
    await db.auditEvent.updateMany({ where: { idempotencyKey: key, at: { lte: limit } }, data: nothingKept })
    return null
  }
  if (row.inputHash !== inputHash) {
    const message = 'was used with other input in the last 24 hours: take another key for another request'
    throw ValidationError.at(['input', 'idempotencyKey'], 'DUPLICATE', message)
  }
  const made = unseal(row.sealedResult ?? '')
  if (!made) throw new ConflictError(`The ${type.toLowerCase()} was made, but its secret cannot be shown again`)
  return made
}

/** The error when the object is gone that a call has made. */
export const madeAndGone = (type: MadeType): ConflictError =>
  new ConflictError(
    `The ${type.toLowerCase()} that this key stands for was deleted: take another key to make a new one`,
  )

/** The master's sweep: forgets results that are older than 24 hours, a piece at a time. */
export async function* forgetResults({ db }: Scope, now: number): AsyncGenerator<void, void> {
  for (let forgotten = chunk; forgotten === chunk;) {
    const where = { idempotencyKey: { not: null }, at: { lte: new Date(now - lifetime) } }
    forgotten = (await db.auditEvent.updateMany({ where, data: nothingKept, limit: chunk })).count
    yield
  }
}
