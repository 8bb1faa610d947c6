import { randomUUID } from 'node:crypto'

import type { Logger } from '../../base/log.ts'
import type { Database } from '../client/client.ts'
import { NoticeSender } from './notice-sender.ts'
import { readNotice } from './notices.ts'

interface Options {
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** The first delay before a lost connection is restored, in milliseconds; doubled up to five seconds. */
  readonly retry?: number
}

/** Exchanges events with the other instances. */
export interface NoticeBridge {
  /** Passes while events of other instances arrive. @throws while the connection for them is being restored */
  check(): Promise<void>
  /** Sends waiting events, then closes its connection. */
  close(): Promise<void>
}

/**
 * Connects the events of all instances on one PostgreSQL by NOTIFY and LISTEN. An event reaches this process
 * immediately, and the other instances after that. Each instance ignores its own notices, so a lost connection does not
 * delay its own events. A lost notice only costs a delay: a listener reads the rows, and regularly checks for missed
 * events. On SQLite there is one instance and nothing to do.
 */
export async function startNoticeBridge(
  { connections, client, changes }: Database,
  options: Options,
): Promise<NoticeBridge> {
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
      for (const event of readNotice(self, text)) changes.deliver(event)
    },
    // Notices from the gap are not repeated.
    onGap: () => changes.deliver({ kind: 'missed' }),
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
