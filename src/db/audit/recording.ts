import type { Db, Tx } from '../client/types.ts'
import { append } from './append.ts'
import type { NewEvent } from './event.ts'
import type { Values } from './shown-values.ts'
import { isModel, isWrite, Watch, watched, type Target } from './watched.ts'

/** Who did something, as the audit trail names them. */
export interface Actor {
  readonly kind: 'operator' | 'tenantAdmin' | 'node' | 'enrollingMachine' | 'system' | 'anonymous'
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

/** One change on its way into the audit trail. */
export class Recording {
  readonly intent: Intent
  #isWritten = false
  /** Set by work that one transaction does for several callers. */
  shares: readonly Share[] | null = null

  constructor(intent: Intent) {
    this.intent = intent
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
      await append(tx, { ...eventOf(this.intent, watch.targets), ...about, before: watch.before, after: watch.after })
    }
    for (const { recording, targets } of this.shares ?? []) {
      await append(tx, { ...eventOf(recording.intent, targets), ...about })
    }
  }
}

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
