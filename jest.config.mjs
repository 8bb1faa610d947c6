/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/support/suite-environment.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' }, experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  extensionsToTreatAsEsm: ['.ts'],
  testTimeout: 60_000,
  testSequencer: '<rootDir>/test/support/long-first.mjs',
  // Twice as many as a small machine has cores: half of the suites' time is spent with waiting, for leases, processes and
  // Nebula.
  maxWorkers: 4,
  // Node does not free all the modules of a suite that has ended. A worker with gigabytes of them is half as fast.
  workerIdleMemoryLimit: '800MB',
}
