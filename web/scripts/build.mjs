// Builds the page into web/dist, and writes beside each asset what a browser gets of it: as Brotli and as gzip.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { build } from 'vite'

const web = join(import.meta.dirname, '..')
const assets = join(web, 'dist/assets')

/** Fonts are compressed as they are. */
const compressible = /\.(css|js|svg)$/

await build({ configFile: join(web, 'vite.config.ts'), logLevel: 'warn' })
for (const name of readdirSync(assets).filter((file) => compressible.test(file))) {
  const content = readFileSync(join(assets, name))
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
  writeFileSync(join(assets, `${name}.br`), brotliCompressSync(content, { params }))
  writeFileSync(join(assets, `${name}.gz`), gzipSync(content, { level: 9 }))
}
