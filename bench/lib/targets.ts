import { keyTexts, secret } from './dataset.ts'
import { root, startServer, type ServerProcess } from './processes.ts'

/** A server that can be measured: Orrery, a baseline or a peer. */
export type TargetName = 'orrery' | 'bare' | 'sql' | 'mercurius' | 'apollo' | 'postgraphile'

export const peerNames = ['mercurius', 'apollo', 'postgraphile'] as const

export const targetTitles: Record<TargetName, string> = {
  orrery: 'Orrery',
  bare: 'bare node:http',
  sql: 'hand-written SQL',
  mercurius: 'Mercurius',
  apollo: 'Apollo Server',
  postgraphile: 'PostGraphile',
}

/** Orrery as it is built and started in production; `folder` is for its files besides the database. */
export const startOrrery = (url: string, folder: string): Promise<ServerProcess> =>
  startServer({
    args: () => ['dist/cli/index.js', 'serve'],
    environment: (port) => ({
      DATABASE_URL: url,
      ORRERY_SECRET: secret,
      ORRERY_DATA_DIR: folder,
      ORRERY_PORT: String(port),
    }),
    readyPath: '/healthz',
  })

export const startBare = (): Promise<ServerProcess> => startTypescript('bench/lib/servers/bare.ts', [])

export const startSql = (url: string): Promise<ServerProcess> =>
  startTypescript('bench/lib/servers/sql.ts', [url, JSON.stringify(keyTexts)])

export const startPeer = (name: (typeof peerNames)[number], url: string): Promise<ServerProcess> =>
  startServer({
    args: (port) => [`bench/peers/${name}.mjs`, String(port), url, JSON.stringify(keyTexts)],
    readyPath: '/',
  })

const startTypescript = (file: string, more: readonly string[]): Promise<ServerProcess> =>
  startServer({ args: (port) => ['--import', 'tsx', file, String(port), ...more], readyPath: '/' })

/** Where the peers are installed. */
export const peersFolder = `${root}bench/peers/`
