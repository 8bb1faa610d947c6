import type { IncomingMessage, ServerResponse } from 'node:http'

import { createServerAdapter, sendNodeResponse } from '@whatwg-node/server'
import type { GraphQLSchema } from 'graphql'

import type { Authenticate } from '../auth/authenticate.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { FairQueue } from '../base/fair-queue.ts'
import type { Logger } from '../base/log.ts'
import type { Spool } from '../base/spool.ts'
import type { BundleShelf } from '../domain/bundle/shelf.ts'
import type { LiveClusters } from '../domain/live/clusters.ts'
import type { Presence } from '../domain/presence.ts'
import type { SignIns } from '../domain/sign-ins.ts'
import type { Vault } from '../domain/vault.ts'
import { bundleRoutes } from './bundles.ts'
import type { Call } from './call.ts'
import { EventStreams, listenersAddedTo } from './event-streams.ts'
import { Exchange, type Handler, type Middleware } from './exchange.ts'
import { fastBundle } from './fast-bundle.ts'
import { fastLane, type Served } from './fast-lane.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { graphqlRoutes, type Introspection } from './graphql.ts'
import { healthRoutes, type Health } from './health.ts'
import { failure } from './responses.ts'
import type { StreamPlaces } from './stream-places.ts'
import type { Strangers } from './strangers.ts'
import { router, type Route } from './router.ts'
import { signInRoutes } from './sign-ins.ts'
import { useAccessLog } from './use-access-log.ts'
import { useCors } from './use-cors.ts'
import { useFailures } from './use-failures.ts'
import { useRequestId } from './use-request-id.ts'
import { useSecurityHeaders } from './use-security-headers.ts'

/** What the application is made of; main and the tests hand it in. */
export interface AppMeans {
  readonly authenticate: Authenticate
  readonly tokens: Tokens
  readonly vault: Vault
  readonly log: Logger
  /** The streams of what happens to clusters; they end with the application. */
  readonly live: LiveClusters
  /** Told of each node that asks. */
  readonly presence: Presence
  /** Decoded bundles that nodes are served their slices of. */
  readonly shelf: BundleShelf
  /** Web pages of these origins may ask this server; the empty list is the default. */
  readonly corsOrigins: readonly string[]
  /** Where expensive work waits for its tenant's turn. */
  readonly expensive: FairQueue
  /** Counts who is not signed in. */
  readonly strangers: Strangers
  /** Begins and ends people's sessions. */
  readonly signIns: SignIns
  /** Counts open streams. */
  readonly places: StreamPlaces
  /** Where uploads are kept until it is their turn. */
  readonly spool: Spool
  /** Who may read the GraphQL schema. */
  readonly introspection: Introspection
  readonly health: Health
  /** Of the GraphQL endpoint, behind its own; none when absent. */
  readonly plugins?: readonly GraphqlPlugin[]
  /** Orrery's own when absent. */
  readonly schema?: GraphQLSchema
}

/** The whole application, for a socket (`listener`) and without one (`fetch`): both take the same way. */
export interface App {
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  /** For node:http: answers a plain request. Others it leaves alone, and returns false. */
  answerPlain(request: IncomingMessage, response: ServerResponse): boolean
  /** For node:http, whatever the request. */
  listener(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** From now on `/readyz` says that this instance is going away; streams end. */
  stop(): void
  /** Since the start. */
  readonly served: Readonly<Served>
  readonly log: Logger
}

/** What is known of a request beside the request, on its way through the adapter. */
interface Passing extends Record<string, unknown> {
  readonly isOnSocket?: true
  readonly address?: string | null
  /** The call that the short way left to the usual one. */
  readonly before?: Call
  exchange?: Exchange
}

/** Puts the application together. */
export function createApp(means: AppMeans): App {
  let isStopping = false
  const served: Served = { short: 0, usual: 0 }
  const graphql = graphqlRoutes(means)
  const routes: readonly Route[] = [
    graphql.route,
    ...bundleRoutes(means),
    ...signInRoutes(means),
    ...healthRoutes(means.health, { isStopping: () => isStopping, log: means.log }),
  ]
  const middlewares: readonly Middleware[] = [
    useRequestId,
    useAccessLog(means.log),
    useSecurityHeaders,
    useCors(means.corsOrigins),
    useFailures,
  ]
  const handler = middlewares.reduceRight<Handler>((next, middleware) => middleware(next), router(routes))
  const answer = (request: Request, passing: Passing) => {
    served.usual += 1
    // Routes and pages are found by path alone, but a Host header can make the whole address unreadable.
    if (!URL.canParse(request.url)) return failure(400, 'BAD_REQUEST', 'The address or the Host header is malformed.')
    const { isOnSocket = false, address = null, before } = passing
    passing.exchange = new Exchange(request, means, { isOnSocket, address, before })
    return handler(passing.exchange)
  }
  // Left to find out whether its requests are node's own, which they are not, the adapter loads all of node's fetch.
  const adapter = createServerAdapter<Passing>(answer, { __useCustomAbortCtrl: true })
  const streams = new EventStreams()
  const fast = fastLane([graphql.fast, fastBundle(means)], {
    ...means,
    served,
    isStopping: () => isStopping,
    async handOver({ request, call }, response, body) {
      const { method = 'POST', url = '/', headers } = request
      const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
      // Routes go by the path alone.
      const passing: Passing = { address: call.caller.address, before: call }
      const answered = await adapter.fetch(`http://localhost${url}`, { method, headers: given, body }, passing)
      await sendNodeResponse(answered, response, request, true)
    },
  })
  return {
    fetch: async (url, init = {}) => adapter.fetch(url.toString(), init),
    answerPlain: fast,
    listener: async (request, response) => {
      const { address } = means.strangers.callerOf(request)
      const passing: Passing = { isOnSocket: true, address }
      response.once('close', () => {
        if (!response.writableFinished) passing.exchange?.leave()
      })
      const release = listenersAddedTo(response)
      const head = await adapter.handleNodeRequestAndResponse(request, response, passing)
      const events = passing.exchange?.events
      if (!events) {
        await sendNodeResponse(head, response, request, true)
        return
      }
      release()
      streams.open(response, head, events)
    },
    stop() {
      isStopping = true
      means.live.stop()
    },
    served,
    log: means.log,
  }
}
