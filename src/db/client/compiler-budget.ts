import { setFlagsFromString } from 'node:v8'

/** In bytes of WebAssembly run in one function; V8's own is 1.8 to 13 million, depending on its version. */
const budget = 100_000_000

/**
 * Call it before a client opens. Prisma's query compiler is WebAssembly that works hard once, when it reads the schema,
 * and rarely later, since the client caches the plan of each shape of query. V8 takes that one effort for hot code and
 * optimizes it on all cores during the start: half a second of processor time, and up to 60 MB that malloc never
 * returns. With a larger budget, V8 still optimizes code that stays busy.
 */
export function spareCompilerOptimizing(): void {
  setFlagsFromString(`--wasm-tiering-budget=${budget}`)
}
