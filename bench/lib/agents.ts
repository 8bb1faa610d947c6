// A process of its own that plays many agents: it opens streams of `configPublished` over plain sockets and records
// when each one learns of a version. agents-process.ts forks it, sends commands and gets one answer for each.
import { connect, type Socket } from 'node:net'

import { requestBytes } from './requests.ts'

/** The parent's commands. */
export type AgentsCommand =
  | { readonly kind: 'open'; readonly port: number; readonly tokens: readonly string[]; readonly atOnce: number }
  /** When, in milliseconds since the epoch, each stream learned of a version newer than `than`. */
  | { readonly kind: 'told'; readonly than: number }
  | { readonly kind: 'close' }

export interface Opened {
  /** Until the last stream had its first event, in milliseconds. */
  readonly milliseconds: number
  readonly streams: number
  readonly failures: number
}

const query = 'subscription { configPublished { clusterId version } }'

interface Agent {
  readonly socket: Socket
  version: number
  at: number
}

let agents: Agent[] = []

/** Resolves with the first event; null when the stream was refused or cut before. */
function open(port: number, token: string): Promise<Agent | null> {
  return new Promise((resolve) => {
    const agent: Agent = { socket: connect({ port, host: '127.0.0.1', noDelay: true }), version: 0, at: 0 }
    let text = ''
    agent.socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      for (let found = /"version":(\d+)}.*\n\n/.exec(text); found; found = /"version":(\d+)}.*\n\n/.exec(text)) {
        text = text.slice(found.index + found[0].length)
        agent.version = Number(found[1])
        agent.at = performance.timeOrigin + performance.now()
        resolve(agent)
      }
      // The rest is pings and chunk framing.
      if (text.length > 2000) text = text.slice(-1000)
    })
    agent.socket.once('close', () => resolve(null)).on('error', () => undefined)
    agent.socket.once('connect', () =>
      agent.socket.write(
        requestBytes({ path: '/graphql', token, body: { query }, headers: { Accept: 'text/event-stream' } }),
      ),
    )
  })
}

async function openAll({ port, tokens, atOnce }: Extract<AgentsCommand, { kind: 'open' }>): Promise<Opened> {
  const start = performance.now()
  let next = 0
  let failures = 0
  const worker = async () => {
    for (let token = tokens[next++]; token !== undefined; token = tokens[next++]) {
      const agent = await open(port, token)
      if (agent) agents.push(agent)
      else failures += 1
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, tokens.length) }, worker))
  return { milliseconds: performance.now() - start, streams: agents.length, failures }
}

function closeAll(): null {
  for (const { socket } of agents) socket.destroy()
  agents = []
  return null
}

process.on('message', (command: AgentsCommand) => {
  const answer = (value: unknown) => process.send?.({ answer: value })
  if (command.kind === 'open') void openAll(command).then(answer)
  else if (command.kind === 'told') answer(agents.filter(({ version }) => version > command.than).map(({ at }) => at))
  else answer(closeAll())
})
