import { randomUUID } from 'node:crypto'

import type { Logger } from '../../base/log.ts'
import type { Database } from '../client/client.ts'
import { NoticeSender } from './notice-sender.ts'
import { readNotice } from './notices.ts'

interface Options {
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** The first pause before a lost connection is made again, in milliseconds; doubled up to half a minute. */
  readonly retry?: number
}

/** Tells the other instances of what happens here, and this one of what happens there. */
export interface ChangeRelay {
  /** Passes while the other instances' news come in. @throws while the connection that they come over is being made anew */
  check(): Promise<void>
  /** Sends what waits, then lets go of its connection. */
  close(): Promise<void>
}

/**
 * Joins the news of all instances on one PostgreSQL by NOTIFY and LISTEN. An event is told in this process at once, and
 * to the others after that: each passes over its own notices, so that a lost connection delays nobody's own news. A
 * notice that is lost costs a delay and nothing else: whoever hears of an event reads the rows, and looks for what
 * nobody told of from time to time. On SQLite there is one instance and nothing to do.
 */
export async function startRelay({ connections, client, changes }: Database, options: Options): Promise<ChangeRelay> {
  if (!connections) return { check: () => Promise.resolve(), close: () => Promise.resolve() }
  const { NoticeListener } = await import('./notice-listener.ts')
  const { log, retry = 200 } = options
  const self = randomUUID()
  const sender = new NoticeSender(client, { self, log })
  const unlisten = changes.listen((event, isOwn) => {
    if (isOwn) sender.send(event)
  })
  const listener = new NoticeListener(connections, {
    log,
    retry,
    onNotice: (text) => {
      for (const event of readNotice(self, text)) changes.relay(event)
    },
    // Whatever was told in between is not told again.
    onGap: () => changes.relay({ kind: 'missed' }),
  })
  await listener.start()
  return {
    async check() {
      if (!listener.isListening) throw new Error('the connection to the other instances is lost')
    },
    async close() {
      unlisten()
      await sender.close()
      await listener.close()
    },
  }
}
