// Where to look first: the largest files, the longest functions, the sources without a test of their own. Fails nothing.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const SHOWN = 10

export function takeStock({ root, files }) {
  const sources = [...files.values()]
  const functions = sources.flatMap((file) =>
    file.functions.map((each) => ({ ...each, where: `src/${file.path}:${each.line}` })),
  )
  const testable = sources.filter(({ path }) => !path.endsWith('index.ts'))
  const untested = testable.filter(({ path }) => !hasTest(root, path))
  return [
    'Largest files (lines)',
    ...largest(sources).map(({ lineCount, path }) => row(lineCount, `src/${path}`)),
    'Longest functions (lines)',
    ...largest(functions).map(({ lineCount, where, name }) => row(lineCount, `${where} ${name}`)),
    `Sources without a test of their own: ${untested.length} of ${testable.length}`,
    ...untested.map(({ path }) => `        src/${path}`),
  ]
}

function hasTest(root, path) {
  return existsSync(join(root, 'test', path.replace(/\.ts$/, '.test.ts')))
}

function largest(items) {
  return items.toSorted((a, b) => b.lineCount - a.lineCount).slice(0, SHOWN)
}

function row(count, text) {
  return `${String(count).padStart(6)}  ${text}`
}
