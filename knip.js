// What knip starts from when it looks for what is left unused; the packages' own entries it finds by itself.
import { threads } from './scripts/project.mjs'

/** @type {import('knip').KnipConfig} */
export default {
  entry: [
    ...threads.map((module) => `src/${module}.ts`),
    'scripts/*.mjs',
    'test/random/main.ts',
    'test/mesh/reload-table.ts',
    'test/kill/main.ts',
    'bench/*.ts',
    'bench/attack/attackers.ts',
    'bench/lib/agents.ts',
    'bench/lib/probe.mjs',
    'test/mesh/each-version.ts',
    'test/mesh/support/probe.mjs',
    'bench/lib/servers/{bare,sql}.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.{ts,mjs}', 'scripts/**/*.mjs', 'bench/*.ts', 'bench/{attack,lib}/**'],
  prisma: false,
  ignoreBinaries: ['nebula', 'nebula-cert', 'ip', 'openssl', 'pgrep', 'taskset'],
  ignoreExportsUsedInFile: { interface: true, type: true },
}
