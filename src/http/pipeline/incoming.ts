import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/** A request as node:http hands it over, as far as anything here looks at it: its head, and its body as a stream. */
export type Incoming = Readable &
  Pick<IncomingMessage, 'method' | 'url' | 'headers'> & {
    /** Of the connection. */
    readonly socket: { readonly remoteAddress?: string | undefined }
  }
