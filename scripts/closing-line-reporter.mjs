// A vitest reporter that counts: hands `N passed, N failed, N skipped` to scripts/test.mjs, which prints it at the very end.

export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test that was asked for and never ran, after --bail say, is still pending.
        counts[state === 'pending' ? 'skipped' : state]++
      }
      counts.failed += countBrokenSuites(module)
    }
    const closingLine = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
    if (process.send === undefined) console.log(closingLine)
    else process.send({ closingLine })
  }
}

/** A file that does not load, or a hook that throws, fails no test of its own; it is one failure all the same. */
function countBrokenSuites(module) {
  const suites = [module, ...module.children.allSuites()]
  return suites.filter((suite) => suite.errors().length > 0).length
}
