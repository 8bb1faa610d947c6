/** What says in its title which Nebula was tried by packets, and which could not be had. */
const aboutNebula = /^Nebula [\d.]+ (is tried|cannot be had)/

/**
 * Jest's numbers as the last line of the run, in one form whatever ran: `412 passed, 0 failed, 3 skipped`. Above it, which
 * versions of Nebula were tried: the titles of tests that passed are not shown otherwise.
 */
export default class ClosingLine {
  /**
   * @param {unknown} _contexts
   * @param {Record<'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests' | 'numRuntimeErrorTestSuites', number>
   *   & { testResults: readonly { testResults: readonly { title: string, status: string }[] }[] }} results
   */
  onRunComplete(_contexts, results) {
    const tests = results.testResults.flatMap(({ testResults }) => testResults)
    for (const { title, status } of tests) if (aboutNebula.test(title)) console.log(`${title} (${status})`)
    // A file that could not even be run has no failed test of its own, and is a failure all the same.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    console.log(`${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  }
}
