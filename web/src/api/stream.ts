import { print } from '@0no-co/graphql.web'

import { SessionEnded } from './errors.ts'
import { EventReader } from './events.ts'
import type { TadaDocumentNode } from './graphql.ts'
import { assertAnswered, bodyOf, send } from './http.ts'
import { live } from './live.ts'
import { sessionEnded } from './session-state.ts'

/** Milliseconds between two attempts, at first and at most. */
const shortest = 500
const longest = 15_000
/** Milliseconds without a sign of life after which a stream counts as lost, as after a sleep. */
const silence = 45_000

/**
 * Follows a subscription until `stop` is called: opens it again whenever it ends. Each beginning brings a resync event
 * from the server, upon which the page reads again what it shows.
 */
export function follow<Data, Variables>(
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
  hear: (data: Data) => void,
): () => void {
  const stopped = new AbortController()
  const isStopped = () => stopped.signal.aborted
  const run = async () => {
    let wait = shortest
    while (!isStopped()) {
      const wasLive = await attempt({ document, variables, hear, stopped: stopped.signal })
      if (isStopped()) return
      wait = wasLive ? shortest : Math.min(wait * 2, longest)
      live.set(navigator.onLine ? 'behind' : 'offline')
      await pause(wait, stopped.signal)
    }
  }
  void run()
  return () => stopped.abort()
}

interface Attempt<Data, Variables> {
  readonly document: TadaDocumentNode<Data, Variables>
  readonly variables: Variables
  readonly hear: (data: Data) => void
  readonly stopped: AbortSignal
}

/** Reads the stream to its end; false if it never began. */
async function attempt<Data, Variables>({ document, variables, hear, stopped }: Attempt<Data, Variables>) {
  const lost = new AbortController()
  const signal = AbortSignal.any([stopped, lost.signal])
  let watch = setTimeout(() => lost.abort(), silence)
  let began = false
  try {
    const body = { query: print(document), variables }
    const response = await send('/graphql', { accept: 'text/event-stream', body, signal })
    if (!response.ok) assertAnswered(await bodyOf(response))
    if (!response.ok || response.body === null) return false
    const events = new EventReader()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      clearTimeout(watch)
      watch = setTimeout(() => lost.abort(), silence)
      began = true
      live.set('live')
      for (const text of events.read(piece.value)) {
        const answer = JSON.parse(text) as { data?: Data; errors?: [] }
        assertAnswered(answer)
        if (answer.data) hear(answer.data)
      }
    }
  } catch (error) {
    // The page asks to sign in; every other end, such as a lost network, is mended by the next attempt.
    if (!(error instanceof SessionEnded)) live.set(navigator.onLine ? 'behind' : 'offline')
  } finally {
    clearTimeout(watch)
  }
  return began
}

/** Waits for the time, or less if the network or the session comes back. */
function pause(milliseconds: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      removeEventListener('online', end)
      unlisten()
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    const unlisten = sessionEnded.listen(end)
    addEventListener('online', end)
    stopped.addEventListener('abort', end, { once: true })
  })
}
