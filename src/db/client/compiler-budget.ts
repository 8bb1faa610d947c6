import { setFlagsFromString } from 'node:v8'

/** In bytes of WebAssembly run in one function; V8's own is 1.8 to 13 million, depending on its version. */
const budget = 100_000_000

/**
 * To be called before a client opens. Prisma's query compiler is WebAssembly that works hard once, when it reads the
 * schema, and hardly ever after that, since the client keeps the plan of each shape of query. V8 takes that one effort
 * for hot code and optimizes it on all cores just when the server starts: half a second of processor time, and up to
 * 60 MB that malloc never gives back. With a larger budget it still optimizes what really stays busy.
 */
export function spareCompilerOptimizing(): void {
  setFlagsFromString(`--wasm-tiering-budget=${budget}`)
}
