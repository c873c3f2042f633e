// npm run tidy: the architecture, executed. The table below holds every rule; scripts/tidy/ only knows how to check them.
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkDependencies } from './tidy/check-dependencies.mjs'
import { checkGraph } from './tidy/check-graph.mjs'
import { checkLinks } from './tidy/check-links.mjs'
import { checkSources } from './tidy/check-sources.mjs'
import { readSourceTree } from './tidy/source-tree.mjs'
import { takeStock } from './tidy/take-stock.mjs'

export const rules = {
  /**
   * From the bottom up. A folder of src imports only from lower lines, never from its own, and enters another folder
   * only through its index.ts; its own files never import that index.ts. Nothing imports in a circle, types included.
   */
  layers: [
    ['base'],
    ['topic', 'filter', 'log', 'wire', 'codec'],
    ['engine'],
    ['delivery'],
    ['embedded', 'cluster'],
    ['broker'],
    ['jetstream', 'monitor', 'bridge', 'testing'],
    ['server'],
    ['cli'],
  ],

  /**
   * Doors beside a folder's index.ts: inner folders with an index.ts of their own, for what a program loads only when it needs
   * it. Opening a broker in memory loads none of them.
   */
  doors: ['base/disk', 'base/faults', 'delivery/ledger', 'wire/operations'],

  /** These run without any installed package: they import none, not even lazily and not even its types. */
  core: 'base topic filter log wire codec engine delivery embedded broker testing'.split(' '),

  /** What this file imports, all the way down and not counting lazy imports, needs no Node and no package. */
  light: 'broker/index.ts',

  /**
   * Time, randomness, disk, output and sockets enter through these folders only, so that tests can replace them. `*`
   * stands for any rest. `onceIn` lets a single file of that folder have it: the one that reads and writes the command line's
   * config, pid and ports files.
   */
  banned: [
    { use: 'Date.now', allowedIn: ['base'] },
    { use: 'Date()', allowedIn: ['base'] },
    { use: 'new Date()', allowedIn: ['base'] },
    { use: 'performance.now', allowedIn: ['base'] },
    { use: 'process.hrtime', allowedIn: ['base'] },
    { use: 'setTimeout', allowedIn: ['base'] },
    { use: 'setInterval', allowedIn: ['base'] },
    { use: 'setImmediate', allowedIn: ['base'] },
    { use: 'queueMicrotask', allowedIn: ['base'] },
    { use: 'process.nextTick', allowedIn: ['base'] },
    { use: 'AbortSignal.timeout', allowedIn: ['base'] },
    { use: 'Math.random', allowedIn: ['base'] },
    { use: 'crypto.random*', allowedIn: ['base'] },
    { use: 'crypto.getRandomValues', allowedIn: ['base'] },
    { use: 'console', allowedIn: ['base'] },
    { use: 'process.getBuiltinModule', allowedIn: ['base'] },
    { use: 'module.createRequire', allowedIn: ['base'] },
    { module: 'node:console', allowedIn: ['base'] },
    { module: 'node:timers*', allowedIn: ['base'] },
    { module: 'node:perf_hooks', allowedIn: ['base'] },
    { module: 'node:net', allowedIn: ['server', 'cli'] },
    { module: 'node:tls', allowedIn: ['server', 'cli'] },
    { module: 'node:dgram', allowedIn: ['server', 'cli'] },
    { module: 'node:http*', allowedIn: ['server', 'cli'] },
    { module: 'node:fs*', allowedIn: ['base'], onceIn: 'cli' },
  ],

  /** Names that say nothing about what a file is for. */
  forbiddenNames: ['types', 'utils', 'helpers', 'common', 'constants', 'manager'],

  /** One word for one thing: "subject" is the protocol's word for topic, and stays where the protocol is spoken. */
  words: [{ word: 'subject', allowedIn: ['wire', 'server', 'jetstream', 'cluster', 'cli'] }],
}

/**
 * Checks the checkout at `root`. `violations` must be empty; `notes` is where to look, and fails nothing. Rules not
 * named here: every source is reached from an entry of package.json and opens with a comment that says what it is for,
 * and every relative link of every Markdown file leads somewhere.
 */
export function tidy(root) {
  const tree = readSourceTree(root)
  const violations = [
    ...checkDependencies(tree, rules),
    ...checkGraph(tree, rules),
    ...checkSources(tree, rules),
    ...checkLinks(root),
  ]
  return { violations, notes: takeStock(tree) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { violations, notes } = tidy(dirname(dirname(fileURLToPath(import.meta.url))))
  console.log(notes.join('\n'))
  for (const violation of violations) console.error(violation)
  if (violations.length > 0) console.error(`\ntidy: ${violations.length} to put right`)
  process.exitCode = violations.length > 0 ? 1 : 0
}
