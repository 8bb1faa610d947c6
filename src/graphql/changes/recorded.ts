import { actorOf } from '../../auth/actor.ts'
import type { SignedIn } from '../../auth/session.ts'
import { CallerError } from '../../base/errors.ts'
import { isId } from '../../base/ids.ts'
import { recordDone, recordedScope, recordRefused, type Intent, type Target } from '../../domain/audit/recorded.ts'
import { isSignedIn } from '../kit/access.ts'
import type { Context } from '../kit/context.ts'

/**
 * The mutations that are not in the audit trail: they report that something is there and how it does, every few
 * seconds, and change nothing that anybody decided on.
 */
export const unrecorded: ReadonlySet<string> = new Set(['reportNodeStatus', 'heartbeatReplica', 'reportClusterState'])

type Input = Readonly<Record<string, unknown>>

/**
 * Makes a mutation's change with its event in the audit trail: in the change's own transaction when it is made, in one
 * of its own when it is refused. A dry run changes nothing and is not recorded.
 */
export async function recorded<T>(
  name: string,
  context: Context,
  input: Input,
  change: (context: Context) => Promise<T>,
): Promise<T> {
  const { session } = context
  // A stranger has no name, and could fill the trail; its requests are counted by address (http/pipeline/strangers).
  if (unrecorded.has(name) || input['dryRun'] === true || !isSignedIn(session)) return change(context)
  const intent = intentOf(name, context, session)
  const { scope, recording } = recordedScope(session.scope, intent)
  // The session of the same kind, with the same scope but for the record.
  const own: Context = { ...context, session: { ...session, scope } as SignedIn }
  let result: T
  try {
    result = await change(own)
  } catch (error) {
    if (error instanceof CallerError) await recordRefused(session.scope, intent, { ...named(input), why: error.name })
    throw error
  }
  if (!recording.isWritten) await recordDone(session.scope, intent, named(input))
  return result
}

/** Records that a caller tried a mutation that it may not call. */
export async function recordForbidden(name: string, context: Context, input: Input): Promise<void> {
  const { session } = context
  if (unrecorded.has(name) || !isSignedIn(session)) return
  await recordRefused(session.scope, intentOf(name, context, session), { ...named(input), why: 'FORBIDDEN' })
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
