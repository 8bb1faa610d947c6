/** The titles that say which Nebula the packet tests used, and which was not available. */
const aboutNebula = /^Nebula [\d.]+ (is tried|cannot be had)/

/**
 * Prints Jest's numbers as the last line of the run, always in one form: `412 passed, 0 failed, 3 skipped`. Before it,
 * the tested versions of Nebula: the titles of passed tests are not shown otherwise.
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
    // A file that could not be run has no failed test of its own, and is a failure all the same.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    console.log(`${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  }
}
