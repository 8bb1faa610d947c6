import { actorOf } from '../../auth/actor.ts'
import type { SignedIn } from '../../auth/session.ts'
import { CallerError } from '../../base/errors.ts'
import { isId } from '../../base/ids.ts'
import { recordDone, recordedScope, recordRefused, type Intent, type Target } from '../../domain/audit/recorded.ts'
import { oneCall, onlyOnce, type Made, type MadeType } from '../../domain/audit/repeats.ts'
import { isSignedIn } from '../kit/access.ts'
import type { Context } from '../kit/context.ts'
import { given } from '../kit/input.ts'

/**
 * The mutations that are not in the audit trail: they report that something is there and how it does, every few
 * seconds, and change nothing that anybody decided on.
 */
export const unrecorded: ReadonlySet<string> = new Set(['reportNodeStatus', 'heartbeatReplica', 'reportClusterState'])

type Input = Readonly<Record<string, unknown>>

/** How a mutation that creates something, or shows a secret, gives its result again to a caller who repeats it. */
export interface Repeats<T> {
  readonly type: MadeType
  readonly again: (context: Context, made: Made) => Promise<T>
}

interface Work<T> {
  readonly input: Input
  readonly change: (context: Context) => Promise<T>
  readonly repeats: Repeats<T> | null
}

/**
 * Makes a mutation's change with its event in the audit trail: in the change's own transaction when it is made, in one
 * of its own when it is refused. A dry run changes nothing and is not recorded.
 */
export async function recorded<T>(name: string, context: Context, work: Work<T>): Promise<T> {
  const { input, change, repeats } = work
  const { session } = context
  // A stranger has no name, and could fill the trail; its requests are counted by address (http/pipeline/strangers).
  if (unrecorded.has(name) || input['dryRun'] === true || !isSignedIn(session)) return change(context)
  const intent = intentOf(name, context, session)
  let isWritten = false
  let outcome: { readonly result: T; readonly isAgain: boolean }
  try {
    const { idempotencyKey: key, ...others } = input
    const { actor, tenantId } = intent
    const call =
      repeats === null || typeof key !== 'string'
        ? null
        : oneCall(context.vault, {
            ...{ actor, tenantId, mutation: name, type: repeats.type, key },
            input: given(others),
          })
    const { scope, recording } = recordedScope(session.scope, intent, call)
    // The session of the same kind, with the same scope but for the record.
    const own: Context = { ...context, session: { ...session, scope } as SignedIn }
    const make = () => change(own)
    outcome =
      call && repeats
        ? await onlyOnce(session.scope, call, { change: make, again: (made) => repeats.again(context, made) })
        : { result: await make(), isAgain: false }
    isWritten = recording.isWritten
  } catch (error) {
    if (error instanceof CallerError) {
      const { refusals } = context
      await recordRefused({ scope: session.scope, refusals }, intent, { ...named(input), why: error.name })
    }
    throw error
  }
  const { result, isAgain } = outcome
  // Nothing was changed, but a secret may have been shown again.
  const done = isAgain ? { ...intent, action: `${intent.action}.repeat` } : intent
  if (!isWritten) await recordDone(session.scope, done, named(input))
  return result
}

/** Records that a caller tried a mutation that it may not call. */
export async function recordForbidden(name: string, context: Context, input: Input): Promise<void> {
  const { session, refusals } = context
  if (unrecorded.has(name) || !isSignedIn(session)) return
  const intent = intentOf(name, context, session)
  await recordRefused({ scope: session.scope, refusals }, intent, { ...named(input), why: 'FORBIDDEN' })
}

function intentOf(name: string, { requestId, address }: Context, session: SignedIn): Intent {
  return { action: actionOf(name), actor: actorOf(session), tenantId: session.scope.tenantId, requestId, address }
}

/** The objects that the input names. They are what the caller wrote: in a refusal, they need not exist. */
function named(input: Input): { targets: Target[]; clusterId: string | null } {
  const targets = Object.entries(input).flatMap(([field, id]): Target[] =>
    typeof id === 'string' && isId(id) && /id$/i.test(field) ? [{ type: typeNamed(field), id }] : [],
  )
  const clusterId = input['clusterId']
  return { targets, clusterId: typeof clusterId === 'string' && isId(clusterId) ? clusterId : null }
}

const typeNamed = (field: string) => {
  const type = field.replace(/id$/i, '')
  return type === '' ? 'Object' : type.charAt(0).toUpperCase() + type.slice(1)
}

/** Where the words of a mutation's name do not follow from what it is about. */
const actions: Readonly<Record<string, string>> = {
  createConfigBundle: 'cluster.bundle.create',
  deleteConfigBundle: 'cluster.bundle.delete',
  deleteOldConfigBundles: 'cluster.bundle.deleteOld',
  rollbackClusterConfig: 'cluster.config.rollback',
  pruneStaleReplicas: 'replica.prune',
}

/** `updateClusterFirewall` is the action `cluster.firewall.update`. */
export function actionOf(mutation: string): string {
  const [verb = '', ...subject] = mutation.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
  return actions[mutation] ?? [...subject, verb].join('.')
}
