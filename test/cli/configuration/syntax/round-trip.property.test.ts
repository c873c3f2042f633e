// Strategy: trees of random values, written in a random mixture of the styles that the syntax allows, must come back as
// they were, each key with its line; and whatever the bytes, reading ends in a tree or in CONFIG_INVALID.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../../../src/base/index.js'
import { readConfiguration } from '../../../../src/cli/configuration/index.js'
import {
  parseConfiguration,
  type Block,
  type Content,
} from '../../../../src/cli/configuration/syntax/index.js'
import { plain } from './plain.js'

type Tree = string | number | boolean | { float: number } | Tree[] | { block: [string, Tree][] }
interface Drawing {
  readonly text: string
  /** Every line on which a key stands, in the order of the keys. */
  readonly keyLines: number[]
}

const trees = fc.letrec<{ tree: Tree; block: { block: [string, Tree][] } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
    fc.stringMatching(/^[a-z0-9.:-]{1,8}$/),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.integer({ min: -1e6, max: 1e6 }).map((n) => ({ float: n / 64 })),
    fc.array(tie('tree'), { maxLength: 4 }),
    tie('block'),
  ),
  block: fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z_ ]{1,6}$/), tie('tree')), {
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((block) => ({ block })),
}))

/** Draws a tree with choices taken from `choose`, which gives a whole number below its argument. */
class Pen {
  readonly #choose: (count: number) => number
  #text = ''
  readonly keyLines: number[] = []

  constructor(choose: (count: number) => number) {
    this.#choose = choose
  }

  get text(): string {
    return this.#text
  }

  settings(settings: readonly [string, Tree][], isNested: boolean): void {
    this.#space()
    for (const [key, value] of settings) {
      this.keyLines.push(this.#text.split('\n').length)
      const isBare = /^(?!include$)[A-Za-z_]+$/i.test(key)
      this.#text += isBare
        ? this.#pick(key, `"${key}"`, `'${key}'`)
        : this.#pick(`"${key}"`, `'${key}'`)
      this.#text += this.#pick(': ', ' = ', ' ', ' : ', isNested ? ' :\n ' : ': ')
      this.#value(value)
      this.#text += this.#pick('\n', ' \r\n', ', ', '; ', ' # comment, }\n', '\t// "comment\n')
      this.#space()
    }
  }

  #value(value: Tree): void {
    if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'boolean')
      this.#text += value ? this.#pick('true', 'Yes', 'ON') : this.#pick('false', 'no', 'OFF')
    else if (typeof value === 'number') this.#integer(value)
    else if (Array.isArray(value)) this.#array(value)
    else if ('float' in value)
      this.#text += Number.isInteger(value.float) ? value.float.toFixed(1) : String(value.float)
    else {
      this.#text += '{'
      this.settings(value.block, true)
      this.#text += '}'
    }
  }

  #integer(value: number): void {
    const styles = [String(value)]
    if (value % 1000 === 0) styles.push(`${value / 1000}k`, `${value / 1000}K`)
    if (value % 1024 === 0) styles.push(`${value / 1024}KiB`, `${value / 1024}kb`)
    this.#text += this.#pick(...styles)
  }

  #string(value: string): void {
    const escaped = value
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"')
      .replaceAll('\n', this.#pick('\n', '\\n', '\\x0a'))
    const styles = [`"${escaped}"`]
    if (!value.includes(`'`)) styles.push(`'${value}'`)
    if (/^[a-z]+$/.test(value) && !/^(true|false|yes|no|on|off)$/.test(value)) styles.push(value)
    this.#text += this.#pick(...styles)
  }

  #array(elements: readonly Tree[]): void {
    this.#text += '['
    this.#space()
    for (const [index, element] of elements.entries()) {
      this.#value(element)
      const isLast = index === elements.length - 1
      this.#text += isLast
        ? this.#pick('', ' ', '\n', ',')
        : this.#pick(', ', ',\n', '\n', ' # c ]\n')
      this.#space()
    }
    this.#text += ']'
  }

  #space(): void {
    this.#text += this.#pick('', '', ' ', '\n', '\r\n\t', ' # note: {\n', ' // note "\n')
  }

  #pick(...styles: readonly string[]): string {
    return styles[this.#choose(styles.length)] ?? ''
  }
}

function draw(settings: readonly [string, Tree][], choices: readonly number[]): Drawing {
  let next = 0
  const pen = new Pen((count) => (choices[next++ % choices.length] ?? 0) % count)
  pen.settings(settings, false)
  return { text: pen.text, keyLines: pen.keyLines }
}

function expected(settings: readonly [string, Tree][]): Record<string, unknown> {
  return Object.fromEntries(settings.map(([key, value]) => [key, expectedValue(value)]))
}

function expectedValue(value: Tree): unknown {
  if (Array.isArray(value)) return value.map(expectedValue)
  if (typeof value === 'object' && 'block' in value) return expected(value.block)
  return value
}

function keyLinesOf(block: Block): number[] {
  return [...block.values()].flatMap(({ place, content }) => [place.line, ...keyLinesIn(content)])
}

function keyLinesIn(content: Content): number[] {
  if (content.kind === 'block') return keyLinesOf(content.settings)
  if (content.kind !== 'array') return []
  return content.elements.flatMap((element) => keyLinesIn(element.content))
}

const reads = (text: string): Block =>
  parseConfiguration('f.conf', { readFile: () => text, environment: {} })

describe('any tree in any style', () => {
  it('comes back as it was written, with the lines of its keys', () => {
    const choices = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 64 })
    fc.assert(
      fc.property(trees.block, choices, ({ block }, chosen) => {
        const { text, keyLines } = draw(block, chosen)
        const read = reads(text)
        expect(plain(read)).toEqual(expected(block))
        expect(keyLinesOf(read)).toEqual(keyLines)
      }),
      { numRuns: 1000 },
    )
  })

  it('comes back from JSON', () => {
    const json = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,6}$/),
      fc.jsonValue({ maxDepth: 3 }).filter(isWritable),
    )
    fc.assert(
      fc.property(json, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        expect(plain(reads(text))).toEqual(JSON.parse(text))
      }),
    )
  })
})

/** JSON that the syntax has: no null, no fractions, no huge numbers, no escapes but its own, and none in keys. */
function isWritable(value: unknown): boolean {
  const text = JSON.stringify(value)
  return !/null|\d{16}|\d\.\d|\de|\\[^tnr"\\]|__proto__/.test(text) && !hasEscapeInKey(value)
}

function hasEscapeInKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([key, inner]) => JSON.stringify(key).includes('\\') || hasEscapeInKey(inner),
  )
}

describe('any bytes', () => {
  const words = ['{', '}', '[', ']', '(', ')', '"', "'", '\\', '\\x4', '$', '$A', '#', '//', '\n']
  const more = [
    ':',
    '=',
    ',',
    ';',
    '-',
    '.',
    '1',
    '1k',
    'port',
    'include ',
    'users',
    ' ',
    '\r',
    '\0',
  ]
  const soup = fc
    .array(fc.constantFrom(...words, ...more), { maxLength: 60 })
    .map((w) => w.join(''))
  const bytes = fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b).toString('utf8'))

  it('end in options or in CONFIG_INVALID with a line of the text', () => {
    fc.assert(
      fc.property(fc.oneof(soup, bytes), soup, (text, variable) => {
        const files = new Map([['f.conf', text]])
        const readFile = (path: string): string => files.get(path) ?? ''
        try {
          readConfiguration({ path: 'f.conf', readFile, environment: { A: variable } })
        } catch (error) {
          if (!(error instanceof FanfareError)) throw error
          expect(error.code).toBe('CONFIG_INVALID')
          expect(error.details.line).toBeGreaterThanOrEqual(1)
          expect(error.details.line).toBeLessThanOrEqual(text.split('\n').length)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
