// A position in a configuration text that knows its line. Every pattern given to it is sticky, so that reading never
// searches ahead and the time taken is linear in the text.
import type { FanfareError } from '../../../base/index.js'
import { configurationError } from './configuration-error.js'
import type { Place } from './configuration-value.js'

/** What nats-server calls a space between keys: Unicode's white space, without the zero-width characters. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/y
const BLANK = /[\t ]+/y
const COMMENT = /(?:#|\/\/)[^\r\n]*/y

export class TextCursor {
  readonly #text: string
  readonly #start: Place
  /** A text that stands for one place, such as a variable of the environment, has no lines of its own. */
  readonly #hasLines: boolean
  #offset = 0
  #line: number

  constructor(text: string, start: Place, options: { readonly hasLines: boolean }) {
    this.#text = text
    this.#start = start
    this.#hasLines = options.hasLines
    this.#line = start.line
  }

  get place(): Place {
    return { file: this.#start.file, line: this.#line }
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#text.length
  }

  /** The next character, or '' at the end. */
  peek(): string {
    return this.#text.charAt(this.#offset)
  }

  /** Takes what the sticky `pattern` matches here; undefined when it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) return undefined
    this.#offset += found.length
    if (this.#hasLines) this.#line += countLineFeeds(found)
    return found
  }

  /** Whether `expected` was next; it is taken when it was. */
  takeIf(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#offset)) return false
    this.#offset += expected.length
    return true
  }

  skipBlanks(): void {
    this.take(BLANK)
  }

  skipSpace(): void {
    this.take(SPACE)
  }

  skipComment(): void {
    this.take(COMMENT)
  }

  skipSpaceAndComments(): void {
    while (this.take(SPACE) !== undefined || this.take(COMMENT) !== undefined);
  }

  /** The error that `fault` is here. */
  fault(fault: string): FanfareError {
    return configurationError(this.place, fault)
  }

  /** The next character as an error message shows it. */
  describeNext(): string {
    if (this.isAtEnd) return 'the end of the file'
    const next = this.peek()
    return next === '\n' || next === '\r' ? 'the end of the line' : JSON.stringify(next)
  }
}

function countLineFeeds(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
