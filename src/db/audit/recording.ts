import type { Db, Tx } from '../client/types.ts'
import { append } from './append.ts'
import type { Kept, NewEvent } from './event.ts'
import type { Values } from './shown-values.ts'
import { isModel, isWrite, Watch, watched, type Target } from './watched.ts'

/** Who did something, as the audit trail names them. */
export interface Actor {
  readonly kind: 'operator' | 'tenantAdmin' | 'node' | 'blockedNode' | 'enrollingMachine' | 'system' | 'anonymous'
  readonly name: string
  /** The session, the node or the cluster whose credential it was; null for a JWT, and for the server itself. */
  readonly credentialId: string | null
}

/** What is known of a change before it is made. */
export interface Intent {
  /** Such as `cluster.firewall.update`. */
  readonly action: string
  readonly actor: Actor
  /** The caller's tenant; null for those who belong to none. */
  readonly tenantId: string | null
  readonly requestId: string | null
  readonly address: string | null
}

/** Part of a change that several callers made together: whose it is, and what it is about. */
export interface Share {
  readonly recording: Recording
  readonly targets: readonly Target[]
}

/** A change that may be asked for twice, and is made once. */
export interface Repeatable {
  /** `idempotency_key`: names the caller, the mutation and the caller’s key. */
  readonly key: string
  /** The columns that give the same result again. */
  readonly kept: (targets: readonly Target[], secret: string | null) => Kept
}

/** Another call with the same key has made the change. */
export class KeyTakenError extends Error {
  override readonly name = 'KeyTakenError'
}

/** One change on its way into the audit trail. */
export class Recording {
  readonly intent: Intent
  #isWritten = false
  /** Set by work that one transaction does for several callers. */
  shares: readonly Share[] | null = null
  /** The secret that the change made, which is shown once. */
  secret: string | null = null
  /** What the change was asked for, where the changed columns do not say it. */
  terms: Values | null = null
  readonly #repeatable: Repeatable | null

  constructor(intent: Intent, repeatable: Repeatable | null = null) {
    this.intent = intent
    this.#repeatable = repeatable
  }

  /** To be called first in a transaction. @throws KeyTakenError */
  async assertNew(tx: Pick<Tx, 'auditEvent'>): Promise<void> {
    if (this.#repeatable === null || this.#isWritten) return
    const { key } = this.#repeatable
    const known = await tx.auditEvent.findFirst({ where: { idempotencyKey: key }, select: { id: true } })
    if (known) throw new KeyTakenError(`the audit trail has the key ${key} already`)
  }

  /** Whether a transaction that was committed has it. */
  get isWritten(): boolean {
    return this.#isWritten
  }

  /** To be called after the commit. */
  committed(): void {
    for (const { recording } of this.shares ?? []) recording.#isWritten = true
    this.#isWritten ||= this.shares === null
  }

  /** Appends what a transaction has done, as its last statements. */
  async write(tx: Tx, watch: Watch): Promise<void> {
    const { clusterId, version } = watch
    const tenantId = this.intent.tenantId ?? watch.tenantId
    const about = { tenantId, clusterId, version }
    if (this.shares === null) {
      const kept = this.#isWritten ? undefined : this.#repeatable?.kept(watch.targets, this.secret)
      const values = { before: watch.before, after: watch.afterWith(this.terms) }
      await append(tx, { ...eventOf(this.intent, targetsOf(watch)), ...about, ...values, ...kept })
    }
    for (const { recording, targets } of this.shares ?? []) {
      await append(tx, { ...eventOf(recording.intent, targets), ...about })
    }
  }
}

/** What a change has written; its cluster, where it has written rows of it and named none. */
const targetsOf = ({ targets, clusterId: id }: Watch): readonly Target[] =>
  targets.length > 0 || id === null ? targets : [{ type: 'Cluster', id }]

/** The event of something that was done; about nothing in particular. */
export function eventOf({ action, actor, tenantId, requestId, address }: Intent, targets: readonly Target[]): NewEvent {
  const who = { actorKind: actor.kind, actor: actor.name, credentialId: actor.credentialId }
  const nothing = { clusterId: null, version: null, before: null, after: null, refusal: null }
  return { action, ...who, tenantId, requestId, address, outcome: 'done', targets: JSON.stringify(targets), ...nothing }
}

/**
 * The same rows, but every transaction that changes some of them appends its event to the audit trail before it
 * commits. A statement outside of a transaction gets one, in which its rows are read first.
 */
export function recordedDb(db: Db, recording: Recording): Db {
  const transaction = async <R>(work: (tx: Tx) => Promise<R>): Promise<R> => {
    const { result, hasWritten } = await db.$transaction(async (tx) => {
      // Made anew with each attempt: the database may retry the transaction.
      const watch = new Watch()
      recording.shares = null
      await recording.assertNew(tx)
      const done = await work(watched(tx, watch))
      if (watch.hasWritten) await recording.write(tx, watch)
      return { result: done, hasWritten: watch.hasWritten }
    })
    if (hasWritten) recording.committed()
    return result
  }
  return new Proxy(db, {
    get: (target, key): unknown => {
      if (key === '$transaction') return transaction
      const part: unknown = Reflect.get(target, key)
      if (!isModel(key) || typeof part !== 'object' || part === null) return part
      return new Proxy(part, {
        get: (model, method): unknown => {
          const call: unknown = Reflect.get(model, method)
          if (typeof call !== 'function' || typeof method !== 'string' || !isWrite(method)) return call
          return (args: Values) =>
            transaction(async (tx) => {
              // The model of a transaction has the same methods.
              const rows = tx[key] as unknown as Record<string, (args: Values) => Promise<unknown>>
              if (method.startsWith('update')) await rows['findMany']?.({ where: args['where'], take: 20 })
              return rows[method]?.(args)
            })
        },
      })
    },
  })
}
