import { existsSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import sequencer from '@jest/test-sequencer'

/** The suites that take longest: those that mostly wait (for Nebula, for leases) beside those that mostly compute. */
const long = [
  'mesh/mesh',
  'random/random',
  'mesh/reload',
  'hostile/values',
  'mesh/effect',
  'graphql/tenancy',
  'mesh/firewall',
  'bundle/bombs',
  'ha/ha-processes',
  'hostile/archives',
  'domain/nodes/presence-processes',
  'faults/sqlite',
  'faults/silent-connections',
  'db/database-conflicts',
  'auth/lost-secret',
  'cli/cli',
]

/** Its types describe its CommonJS, where the class is a property of what is imported. */
const Sequencer = /** @type {typeof sequencer.default} */ (/** @type {unknown} */ (sequencer))

/**
 * Begins with the suites that take longest, so that no worker is still at one of them when the others have ended. Jest
 * knows how long a suite takes when it has run before; on a machine that builds from a clean checkout none has.
 */
export default class LongFirst extends Sequencer {
  /**
   * @override
   * @type {InstanceType<typeof sequencer.default>['sort']}
   */
  async sort(tests) {
    const gone = long.find((name) => !existsSync(fileURLToPath(new URL(`../${name}.test.ts`, import.meta.url))))
    if (gone !== undefined) throw new Error(`${gone} is no suite any more: test/support/long-first.mjs names it`)
    const place = (/** @type {{ path: string }} */ { path }) => {
      const at = long.findIndex((name) => path.endsWith(`test/${name}.test.ts`.replaceAll('/', sep)))
      return at === -1 ? long.length : at
    }
    return [...(await super.sort(tests))].sort((a, b) => place(a) - place(b))
  }
}
