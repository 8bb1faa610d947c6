// What knip starts from when it looks for what is left unused; the packages' own entries it finds by itself. What ends
// with an exclamation mark is the program: `knip --production` looks at nothing else, and so finds what only tests and
// benchmarks use.
import { threads } from './scripts/project.mjs'

/** @type {import('knip').KnipConfig} */
export default {
  workspaces: {
    '.': {
      entry: [
        'src/cli/index.ts!',
        ...threads.map((module) => `src/${module}.ts!`),
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
      project: ['src/**/*.ts!', 'test/**/*.{ts,mjs}', 'scripts/**/*.mjs', 'bench/*.ts', 'bench/{attack,lib}/**'],
    },
    web: { entry: ['src/main.tsx!', 'scripts/build.mjs!'], project: ['src/**/*.{ts,tsx}!', 'scripts/*.mjs!'] },
  },
  prisma: false,
  ignoreBinaries: ['nebula', 'nebula-cert', 'ip', 'openssl', 'pgrep', 'taskset'],
  // The program may export for tests what it uses only in the same file, such as a limit.
  ignoreExportsUsedInFile: process.argv.includes('--production') || { interface: true, type: true },
}
