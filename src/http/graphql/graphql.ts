import type { GraphQLSchema } from 'graphql'

import type { Session } from '../../auth/session.ts'
import type { Tokens } from '../../auth/tokens.ts'
import type { FairQueue } from '../../base/limits/fair-queue.ts'
import type { Spool } from '../../base/limits/spool.ts'
import { refusalBudget, type RefusalBudget } from '../../domain/audit/recorded.ts'
import { Enrollments } from '../../domain/nodes/enrollment.ts'
import type { LiveClusters } from '../../domain/live/clusters.ts'
import type { Presence } from '../../domain/presence/presence.ts'
import type { Vault } from '../../domain/pki/vault.ts'
import { Loaders } from '../../graphql/rows/loaders.ts'
import type { Answer } from '../pipeline/answer.ts'
import type { Call } from '../pipeline/call.ts'
import { withPresentedErrors } from './errors.ts'
import { graphiqlPage, wantsPage } from '../graphiql/graphiql.ts'
import type { GraphqlPlugin, ServerContext } from './graphql-plugin.ts'
import { performer } from './perform.ts'
import { bodyAhead } from './read-params.ts'
import { answerWith, answerWithStream } from './results.ts'
import type { Route } from '../pipeline/router.ts'
import type { StreamPlaces } from '../live/stream-places.ts'
import type { Strangers } from '../pipeline/strangers.ts'
import type { Introspection } from './use-introspection.ts'

export type { Introspection }

interface Dependencies {
  readonly tokens: Tokens
  readonly vault: Vault
  readonly presence: Presence
  readonly introspection: Introspection
  readonly live: LiveClusters
  readonly expensive: FairQueue
  readonly strangers: Strangers
  readonly places: StreamPlaces
  readonly spool: Spool
  readonly plugins?: readonly GraphqlPlugin[]
  /** Orrery's own when absent. */
  readonly schema?: GraphQLSchema
  /** How many refusals of each caller are recorded; a budget of the endpoint's own when absent. */
  readonly refusals?: RefusalBudget
}

/** `/graphql`: the API, and GraphiQL for browsers. */
export function graphqlRoute(dependencies: Dependencies): Route {
  const contextOf = contextMaker(dependencies)
  const perform = performer(dependencies)
  const answer = async (call: Call): Promise<Answer> => {
    const recognised = call.session()
    const ahead = bodyAhead(call)
    const session = await recognised
    const accept = call.header('accept')
    const result = await perform(contextOf(call, session), ahead)
    if ('next' in result) return answerWithStream(result, accept)
    return answerWith(withPresentedErrors(result, { call, session }), accept)
  }
  return {
    path: '/graphql',
    methods: {
      GET: (call) => {
        if (!wantsPage(call)) return answer(call)
        call.countAsStranger()
        return graphiqlPage(call)
      },
      POST: answer,
    },
  }
}

function contextMaker(dependencies: Dependencies) {
  const { tokens, vault, presence, live, expensive, refusals = refusalBudget() } = dependencies
  const enrollments = new Enrollments({ tokens, vault })
  // All properties are set here: adding one later, in a plugin, took a tenth of a poll's time.
  return (call: Call, session: Session): ServerContext => ({
    call,
    session,
    requestId: call.id,
    address: call.caller.address,
    tokens,
    vault,
    refusals,
    enrollments,
    presence,
    live,
    expensive,
    left: () => call.left,
    isMeasured: false,
    events: null,
    loaders: new Loaders(),
    reauthentication: () => call.reauthentication(),
  })
}
