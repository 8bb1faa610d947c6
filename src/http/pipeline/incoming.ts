import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/** The part of a node:http request that is used here: its head, and its body as a stream. */
export type Incoming = Readable &
  Pick<IncomingMessage, 'method' | 'url' | 'headers'> & {
    /** The connection. */
    readonly socket: { readonly remoteAddress?: string | undefined }
  }
