import { Call, type CallMeans, type CallOptions } from './call.ts'

interface ExchangeOptions extends CallOptions {
  /** The caller's (strangers.ts). */
  readonly address: string | null
}

/** A call with its request as the Fetch standard has it: what every storey of src/http is handed. */
export class Exchange extends Call {
  readonly request: Request
  readonly url: URL

  /** @throws TypeError when the request's address is none */
  constructor(request: Request, means: CallMeans, { address, ...options }: ExchangeOptions) {
    super({ authorization: request.headers.get('authorization'), address }, means, options)
    this.request = request
    this.url = new URL(request.url)
    if (request.signal.aborted) this.leave()
    else request.signal.addEventListener('abort', () => this.leave(), { once: true })
  }
}

/** Answers a request. What it throws is a fault of ours: logged, and masked. */
export type Handler = (exchange: Exchange) => Response | Promise<Response>

/** One concern that cuts across all routes, laid around a handler. */
export type Middleware = (next: Handler) => Handler
