// What knip starts from when it looks for what is left unused; the packages' own entries it finds by itself.
import { threads } from './scripts/project.mjs'

/** @type {import('knip').KnipConfig} */
export default {
  entry: [
    ...threads.map((module) => `src/${module}.ts`),
    'scripts/*.mjs',
    'bench/*.ts',
    'bench/lib/agents.ts',
    'bench/lib/probe.mjs',
    'bench/lib/servers/{bare,sql}.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs', 'bench/*.ts', 'bench/lib/**'],
  prisma: false,
  ignoreBinaries: ['nebula', 'nebula-cert', 'ip', 'pgrep', 'taskset'],
  ignoreExportsUsedInFile: { interface: true, type: true },
}
