// Every rule of scripts/tidy.mjs against a tree that breaks it, and then all of them against this checkout.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { tidy } from '../../scripts/tidy.mjs'

const checkout = join(import.meta.dirname, '..', '..')
const fixtures = mkdtempSync(join(tmpdir(), 'fanfare-tidy-'))
afterAll(() => rmSync(fixtures, { recursive: true, force: true }))

interface Fixture {
  /** Sources that package.json publishes; by default all of them, so that none is unreached. */
  readonly published?: readonly string[]
  /** Puts a header above every source; default true. */
  readonly withHeaders?: boolean
}

/** Writes the files and answers what tidy finds; paths begin below src unless they end with .md. */
function violationsOf(files: Record<string, string>, fixture: Fixture = {}): readonly string[] {
  return tidy(writeTree(files, fixture)).violations
}

function writeTree(files: Record<string, string>, fixture: Fixture): string {
  const root = mkdtempSync(join(fixtures, 'tree-'))
  const sources = Object.keys(files).filter((path) => path.endsWith('.ts'))
  const published = fixture.published ?? sources
  const exports = published.map((path) => [`./${path}`, `./dist/${path.replace(/ts$/, 'js')}`])
  const manifest = { name: 'fanfare', exports: Object.fromEntries(exports) as unknown }
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest))
  for (const [path, text] of Object.entries(files)) {
    const isSource = path.endsWith('.ts')
    const file = isSource ? join(root, 'src', path) : join(root, path)
    const header = isSource && fixture.withHeaders !== false ? '// What this is for.\n' : ''
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, header + text)
  }
  return root
}

describe('layers and doors', () => {
  it('accepts imports of lower layers through their index.ts', () => {
    const violations = violationsOf({
      'base/index.ts': `export * from './clock.js'`,
      'base/clock.ts': 'export const now = () => Date.now()',
      'engine/index.ts': `import { now } from '../base/index.js'\nexport const engine = now`,
    })
    expect(violations).toEqual([])
  })

  it('refuses an import of a higher layer', () => {
    const violations = violationsOf({
      'base/index.ts': `import { engine } from '../engine/index.js'\nexport const x = engine`,
      'engine/index.ts': 'export const engine = 1',
    })
    expect(violations).toEqual(['src/base/index.ts:2 imports engine, which is on a higher layer'])
  })

  it('refuses an import of its own layer, also when only types are imported', () => {
    const violations = violationsOf({
      'topic/index.ts': `import type { Filter } from '../filter/index.js'\nexport type X = Filter`,
      'filter/index.ts': 'export type Filter = 1',
    })
    expect(violations).toEqual(['src/topic/index.ts:2 imports filter, which is on its own layer'])
  })

  it('refuses a lazy import and a type written as an import alike', () => {
    const violations = violationsOf({
      'base/index.ts': `export const a = () => import('../engine/index.js')`,
      'wire/index.ts': `export type A = import('../engine/index.js').Engine`,
      'engine/index.ts': 'export type Engine = 1',
    })
    expect(violations).toEqual([
      'src/base/index.ts:2 imports engine, which is on a higher layer',
      'src/wire/index.ts:2 imports engine, which is on a higher layer',
    ])
  })

  it('refuses to go past the index.ts of another folder', () => {
    const violations = violationsOf({
      'base/clock.ts': 'export const clock = 1',
      'engine/index.ts': `export { clock } from '../base/clock.js'`,
    })
    expect(violations).toEqual([
      'src/engine/index.ts:2 imports src/base/clock.ts past src/base/index.ts',
    ])
  })

  it('refuses a file that imports the index.ts of its own folder', () => {
    const violations = violationsOf({
      'base/index.ts': 'export const clock = 1',
      'base/random.ts': `export { clock } from './index.js'`,
    })
    expect(violations).toEqual([`src/base/random.ts:2 imports its own folder's index.ts`])
  })

  it('refuses a folder without a layer and an import that leads nowhere', () => {
    const violations = violationsOf({
      'attic/old.ts': 'export const old = 1',
      'base/index.ts': `export * from './gone.js'`,
    })
    expect(violations).toEqual([
      'src/attic/old.ts: no layer of scripts/tidy.mjs has its folder',
      'src/base/index.ts:2 imports ./gone.js, which leads to no file of src',
    ])
  })

  it('refuses the package importing itself by name and a Node module without node:', () => {
    const violations = violationsOf({
      'cli/main.ts': `import 'fanfare/server'\nimport 'net'`,
    })
    expect(violations).toEqual([
      'src/cli/main.ts:2 imports the package by its own name, fanfare/server',
      'src/cli/main.ts:3 imports net without node:',
    ])
  })
})

describe('circles and unreached sources', () => {
  it('reports a circle inside a folder, type imports counted', () => {
    const violations = violationsOf({
      'base/clock.ts': `import type { Timer } from './timer.js'\nexport type Clock = Timer`,
      'base/timer.ts': `import type { Clock } from './clock.js'\nexport type Timer = Clock`,
    })
    expect(violations).toEqual([
      'imports in a circle: src/base/clock.ts -> src/base/timer.ts -> src/base/clock.ts',
    ])
  })

  it('reports every circle, not only the first', () => {
    const violations = violationsOf({
      'base/a.ts': `import './b.js'`,
      'base/b.ts': `import './a.js'`,
      'base/c.ts': `import './d.js'`,
      'base/d.ts': `import './e.js'`,
      'base/e.ts': `import './c.js'`,
    })
    expect(violations).toEqual([
      'imports in a circle: src/base/a.ts -> src/base/b.ts -> src/base/a.ts',
      'imports in a circle: src/base/c.ts -> src/base/d.ts -> src/base/e.ts -> src/base/c.ts',
    ])
  })

  it('reports a circle between folders even where no file is in one', () => {
    const violations = violationsOf({
      'base/a.ts': `import '../wire/b.js'`,
      'base/c.ts': 'export const c = 1',
      'wire/b.ts': `import '../base/c.js'`,
    })
    expect(violations).toContain('imports in a circle: src/base -> src/wire -> src/base')
  })

  it('reports sources that nothing published reaches, and entries that do not exist', () => {
    const published = ['base/index.ts', 'cli/main.ts']
    const files = {
      'base/index.ts': `export const load = () => import('./lazy.js')`,
      'base/lazy.ts': `export const worker = new URL('./worker.js', import.meta.url)`,
      'base/worker.ts': 'export const x = 1',
      'base/forgotten.ts': 'export const y = 1',
    }
    expect(violationsOf(files, { published })).toEqual([
      'package.json publishes src/cli/main.ts, which does not exist',
      'src/base/forgotten.ts: nothing that package.json publishes reaches it',
    ])
  })
})

describe('the core stays light', () => {
  it('refuses a package in a core folder: at once, lazily or for its types', () => {
    const violations = violationsOf({
      'codec/index.ts': `import 'left-pad'`,
      'delivery/index.ts': `export const a = () => import('@scope/pad/deep')`,
      'engine/index.ts': `import type { Pad } from 'left-pad'\nexport type A = Pad`,
      'server/index.ts': `import 'left-pad'`,
    })
    expect(violations).toEqual([
      'src/codec/index.ts:2 imports left-pad, and the core runs without packages',
      'src/delivery/index.ts:2 imports @scope/pad/deep, and the core runs without packages',
      'src/engine/index.ts:2 imports left-pad, and the core runs without packages',
    ])
  })

  it('refuses a lazy import in a core folder whose name only running tells', () => {
    const text = `const name = ['left', 'pad'].join('-')\nexport const a = () => import(name)`
    expect(violationsOf({ 'engine/index.ts': text, 'cluster/index.ts': text })).toEqual([
      'src/engine/index.ts:3 imports a name that only running tells',
    ])
  })

  it('refuses a Node module that the broker loads at once, and shows the way to it', () => {
    const violations = violationsOf({
      'base/index.ts': `import { type CpuInfo } from 'node:os'\nexport type A = CpuInfo`,
      'broker/index.ts': `export * from '../base/index.js'`,
    })
    expect(violations).toEqual([
      'src/broker/index.ts loads node:os at once: src/broker/index.ts -> src/base/index.ts -> node:os',
    ])
  })

  it('accepts a Node module that the broker loads lazily or for its types', () => {
    const violations = violationsOf({
      'base/index.ts': `export * from './disk.js'`,
      'base/disk.ts': `import type { Stats } from 'node:fs'\nexport const a = (): Promise<Stats> => import('node:fs').then((fs) => fs.statSync('.'))`,
      'broker/index.ts': `export * from '../base/index.js'`,
    })
    expect(violations).toEqual([])
  })
})

describe('what only base may do', () => {
  it.each([
    ['Date.now', 'Date.now()'],
    ['Date.now', 'globalThis.Date.now()'],
    ['Date.now', '[1].map(Date.now)'],
    ['Date()', 'Date()'],
    ['new Date()', 'new Date()'],
    ['performance.now', 'performance.now()'],
    ['process.hrtime', 'process.hrtime.bigint()'],
    ['setTimeout', 'setTimeout(() => {}, 1)'],
    ['setTimeout', '{ setTimeout }'],
    ['setInterval', 'globalThis.setInterval(() => {}, 1)'],
    ['setImmediate', 'setImmediate(() => {})'],
    ['queueMicrotask', 'queueMicrotask(() => {})'],
    ['process.nextTick', 'process.nextTick(() => {})'],
    ['process.getBuiltinModule', `process.getBuiltinModule('node:fs')`],
    ['AbortSignal.timeout', 'AbortSignal.timeout(5)'],
    ['Math.random', 'Math.random()'],
    ['crypto.randomUUID', 'crypto.randomUUID()'],
    ['crypto.getRandomValues', 'globalThis.crypto.getRandomValues(bytes)'],
    ['console', 'console.log(1)'],
    ['Date.now', `Date['now']()`],
    ['new Date()', 'new globalThis.Date()'],
    ['setTimeout', '(globalThis as never).setTimeout'],
    ['crypto.randomUUID', 'globalThis.crypto?.randomUUID()'],
    ['crypto.randomBytes', `(await import('node:crypto')).randomBytes(1)`],
  ])('refuses %s as in %s', (name, expression) => {
    const text = `export const a = ${expression}`
    expect(violationsOf({ 'engine/index.ts': text, 'base/index.ts': text })).toEqual([
      `src/engine/index.ts:2 ${name} is for base only`,
    ])
  })

  it('refuses the modules that bring the same', () => {
    const violations = violationsOf({
      'server/index.ts': [
        `import { randomBytes as bytes } from 'node:crypto'`,
        `import { setTimeout as sleep } from 'node:timers/promises'`,
        `import { performance } from 'node:perf_hooks'`,
        `import { readFile } from 'node:fs/promises'`,
        `export const a = [bytes, sleep, performance, readFile]`,
      ].join('\n'),
    })
    expect(violations).toEqual([
      'src/server/index.ts:2 crypto.randomBytes is for base only',
      'src/server/index.ts:3 node:timers/promises is for base only',
      'src/server/index.ts:4 node:perf_hooks is for base only',
      'src/server/index.ts:5 node:fs/promises is for base and one file of cli only',
    ])
  })

  it.each([
    ['Date.now', 'const { now } = Date\nexport const a = now()'],
    ['Math.random', 'const mathematics = Math\nexport const a = mathematics.random()'],
    ['Math.random', 'const { Math: { random: draw } } = globalThis\nexport const a = draw()'],
    ['crypto.randomBytes', `import * as c from 'node:crypto'\nexport const a = c.randomBytes(1)`],
    ['crypto.randomBytes', `import c from 'node:crypto'\nexport const a = c.randomBytes(1)`],
    ['crypto.randomBytes', `export { randomBytes as a } from 'node:crypto'`],
    [
      'crypto.getRandomValues',
      `import { webcrypto as w } from 'node:crypto'\nexport const a = w.getRandomValues`,
    ],
    [
      'module.createRequire',
      `import { createRequire } from 'node:module'\nexport const a = createRequire`,
    ],
    ['node:console', `import output from 'node:console'\nexport const a = output`],
  ])('is not deceived about %s by another name: %s', (name, text) => {
    expect(violationsOf({ 'engine/index.ts': text, 'base/index.ts': text })).toEqual([
      expect.stringMatching(`^src/engine/index.ts:\\d+ ${name} is for base only$`),
    ])
  })

  it.each(['net', 'tls', 'dgram', 'http', 'https', 'http2'])(
    'lets server and cli alone use node:%s, and others its types',
    (module) => {
      const value = `export * from 'node:${module}'`
      const files = {
        'server/index.ts': value,
        'cli/main.ts': value,
        'jetstream/index.ts': value,
        'engine/index.ts': `import type { Socket } from 'node:${module}'\nexport type A = Socket`,
      }
      expect(violationsOf(files)).toEqual([
        `src/jetstream/index.ts:2 node:${module} is for server, cli only`,
      ])
    },
  )

  it('lets one file of cli use the disk, and no second one', () => {
    const text = `import { readFileSync } from 'node:fs'\nexport const a = readFileSync`
    const violations = violationsOf({ 'cli/files.ts': text, 'cli/main.ts': text })
    expect(violations).toEqual(['src/cli/main.ts:2 node:fs is for base and one file of cli only'])
  })

  it('leaves types, members, given dates and other names alone', () => {
    const text = [
      'export type Handle = ReturnType<typeof setTimeout>',
      'export interface Clock { setTimeout(): void; readonly console: string }',
      'export const at = (clock: Clock, ms: number) => [clock.setTimeout(), new Date(ms)]',
      'export const own = { console: 1, random: Math.max(1, 2) }',
    ].join('\n')
    expect(violationsOf({ 'engine/index.ts': text })).toEqual([])
  })
})

describe('names, words and headers', () => {
  it.each(['types', 'utils', 'helpers', 'common', 'constants', 'manager'])(
    'refuses %s as the name of a file or folder',
    (name) => {
      const files = { [`base/${name}.ts`]: '', [`wire/${name}/x.ts`]: '' }
      expect(violationsOf(files)).toEqual([
        `src/base/${name}.ts: the name "${name}" does not say what it is for`,
        `src/wire/${name}/x.ts: the name "${name}" does not say what it is for`,
      ])
    },
  )

  it('refuses "subject" in an identifier where the protocol is not spoken', () => {
    const text = 'export const replySubject = "subject"'
    const hidden = 'export class A {\n  readonly #subject = 1\n}'
    const files = { 'engine/index.ts': text, 'wire/index.ts': text, 'topic/index.ts': hidden }
    expect(violationsOf(files)).toEqual([
      'src/engine/index.ts:2 replySubject: the word "subject" belongs to wire, server, jetstream, cluster, cli',
      'src/topic/index.ts:3 #subject: the word "subject" belongs to wire, server, jetstream, cluster, cli',
    ])
  })

  it('refuses a source that does not open with a comment in words', () => {
    const files = {
      'base/bare.ts': 'export const a = 1\n// Too late.',
      'base/pragma.ts': '// eslint-disable-next-line\nexport const b = 1',
      'cli/main.ts': '#!/usr/bin/env node\n// What this is for.\nexport const c = 1',
    }
    expect(violationsOf(files, { withHeaders: false })).toEqual([
      'src/base/bare.ts: does not open with a comment that says what it is for',
      'src/base/pragma.ts: does not open with a comment that says what it is for',
    ])
  })
})

describe('links', () => {
  it('refuses a link to a file or a heading that is not there', () => {
    const violations = violationsOf({
      'README.md': [
        '# Fanfare',
        '[a](docs/guide.md) [b](docs/guide.md#first-steps) [c](#fanfare) [d](https://example.com/x)',
        '[e](docs/gone.md) [f](docs/guide.md#last-steps)',
        '`[g](code.md)`',
        '```md',
        '[h](block.md)',
        '```',
        '[i]: gone-too.md',
      ].join('\n'),
      'docs/guide.md': '# Guide\n## First steps\n[back](../README.md)',
    })
    expect(violations).toEqual([
      'README.md: the link docs/gone.md leads to no file',
      'README.md: the link docs/guide.md#last-steps leads to no heading',
      'README.md: the link gone-too.md leads to no file',
    ])
  })
})

it('notes the largest files, the longest functions and sources without a test, and fails nothing', () => {
  const files = { 'base/clock.ts': 'export function tick() {\n  return 1\n}\n' }
  const { notes, violations } = tidy(writeTree(files, {}))
  expect(violations).toEqual([])
  expect(notes).toEqual([
    'Largest files (lines)',
    '     4  src/base/clock.ts',
    'Longest functions (lines)',
    '     3  src/base/clock.ts:2 tick',
    'Sources without a test of their own: 1 of 1',
    '        src/base/clock.ts',
  ])
})

it('finds nothing to put right in this checkout', () => {
  expect(tidy(checkout).violations).toEqual([])
})
