// Reads one configuration text, and through `include` and `$NAME` those it refers to, into a value tree. The grammar
// is nats-server's (conf/lex.go, conf/parse.go):
//
//   document = settings | "{" settings "}"
//   settings = *( setting ( line end | "," | ";" ) )          the last one needs no end
//   setting  = key [ "=" | ":" ] value | "include" path
//   value    = block "{ … }" | array "[ … ]" | string | number | boolean | datetime | "$" name
//
// Texts come from people and from disks: whatever they hold, the outcome is a tree or CONFIG_INVALID.
import { dirname, join } from 'node:path'
import { configurationError } from './configuration-error.js'
import type { Block, ConfigurationValue, Content, Place, Setting } from './configuration-value.js'
import { readNumber } from './read-number.js'
import { readBare, readBlockString, readDoubleQuoted, readSingleQuoted } from './read-string.js'
import { TextCursor } from './text-cursor.js'

const QUOTED_KEY = /"[^"]*"|'[^']*'/y
const BARE_KEY = /[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000=:]+/y
const INCLUDE_KEYWORD = /include[\t ]+/iy
const INCLUDE_PATH = /"[^"]*"|'[^']*'|[^\t \r\n;}'"[{(\\\d-][^\t \r\n;}']*/y
const TRUE = /^(?:true|yes|on)$/i
const FALSE = /^(?:false|no|off)$/i
/** A bcrypt hash needs no quotes although it starts as a variable does. */
const BCRYPT_REFERENCE = /^\$2[abxy]\$/

/** Deep enough for any configuration, shallow enough for the stack. */
const MOST_LEVELS = 100

export interface Sources {
  /** The text of a file; throws when there is none. */
  readonly readFile: (path: string) => string
  readonly environment: Readonly<Record<string, string | undefined>>
}

interface Scope {
  readonly settings: Map<string, Setting>
  readonly outer: Scope | undefined
  readonly level: number
  readonly isNested: boolean
}

/** Reads the file at `path` and all that it includes. Throws CONFIG_INVALID. */
export function parseConfiguration(path: string, sources: Sources): Block {
  return parseFile(path, { file: path, line: 1 }, sources, [])
}

/** `including` are the files being read, outermost first; `from` is where this one was asked for. */
function parseFile(
  path: string,
  from: Place,
  sources: Sources,
  including: readonly string[],
): Block {
  if (including.includes(path) || including.length >= MOST_LEVELS) {
    throw configurationError(from, `${path} includes itself: ${[...including, path].join(' → ')}`)
  }
  let text: string
  try {
    text = sources.readFile(path)
  } catch (error) {
    throw configurationError(from, error instanceof Error ? error.message : String(error), error)
  }
  const start = { file: path, line: 1 }
  // nats-server takes a zero byte for the end of the file; whatever follows would be ignored.
  if (text.includes('\0')) throw configurationError(start, 'the file contains a zero byte')
  const cursor = new TextCursor(text, start, { hasLines: true })
  return new ConfigurationParser(cursor, sources, [...including, path], []).parseDocument()
}

class ConfigurationParser {
  readonly #cursor: TextCursor
  readonly #sources: Sources
  readonly #including: readonly string[]
  /** Variables of the environment whose text is being read, to notice one that refers to itself. */
  readonly #expanding: readonly string[]

  constructor(
    cursor: TextCursor,
    sources: Sources,
    including: readonly string[],
    expanding: readonly string[],
  ) {
    this.#cursor = cursor
    this.#sources = sources
    this.#including = including
    this.#expanding = expanding
  }

  parseDocument(): Block {
    const cursor = this.#cursor
    const scope: Scope = { settings: new Map(), outer: undefined, level: 0, isNested: false }
    cursor.skipSpaceAndComments()
    while (!cursor.isAtEnd) {
      if (cursor.peek() === '{') this.#readSettings(scope)
      else {
        this.#readSetting(scope)
        this.#endSetting()
      }
      cursor.skipSpaceAndComments()
    }
    return scope.settings
  }

  /** Reads the whole text as one value, as the text of a variable is. */
  parseValue(): Content {
    if (this.#cursor.isAtEnd) return { kind: 'string', text: '' }
    const content = this.#readValue(undefined, 0)
    this.#cursor.skipSpaceAndComments()
    if (!this.#cursor.isAtEnd) throw this.#cursor.fault('something follows the value')
    return content
  }

  /** From `{` to its `}`. */
  #readSettings(scope: Scope): void {
    const cursor = this.#cursor
    const { place } = cursor
    cursor.takeIf('{')
    cursor.skipSpaceAndComments()
    while (!cursor.takeIf('}')) {
      if (cursor.isAtEnd) throw configurationError(place, `a block has no closing '}'`)
      this.#readSetting(scope)
      if (cursor.isAtEnd) throw configurationError(place, `a block has no closing '}'`)
      this.#endSetting()
      cursor.skipSpaceAndComments()
    }
  }

  /** After a setting: a line end, a comma or semicolon, or the `}` of its block, which stays. */
  #endSetting(): void {
    const cursor = this.#cursor
    cursor.skipBlanks()
    cursor.skipComment()
    if (cursor.isAtEnd || '\r\n}'.includes(cursor.peek())) return
    if (cursor.takeIf(',') || cursor.takeIf(';')) return
    throw cursor.fault(
      `expected a line end or ',' after the value but found ${cursor.describeNext()}`,
    )
  }

  #readSetting(scope: Scope): void {
    const cursor = this.#cursor
    if (cursor.take(INCLUDE_KEYWORD) !== undefined) return this.#include(scope)
    const place = cursor.place
    const key = this.#readKey()
    cursor.skipSpace()
    if (cursor.takeIf('=') || cursor.takeIf(':')) {
      // Only inside a block may the value wait for the next line.
      if (scope.isNested) cursor.skipSpace()
      else cursor.skipBlanks()
    }
    if (cursor.isAtEnd) throw configurationError(place, `${JSON.stringify(key)} has no value`)
    const valuePlace = cursor.place
    const content = this.#readValue(scope, scope.level)
    this.#add(scope, { key, place, valuePlace, content, isVariable: false, replaced: undefined })
  }

  #readKey(): string {
    const cursor = this.#cursor
    const next = cursor.peek()
    const quoted = cursor.take(QUOTED_KEY)
    if (quoted !== undefined) return quoted.slice(1, -1)
    if (next === '"' || next === `'`)
      throw cursor.fault(`the key that starts here has no closing ${next}`)
    if ('{}[](),;=:'.includes(next)) {
      throw cursor.fault(`expected a key but found ${cursor.describeNext()}`)
    }
    const key = cursor.take(BARE_KEY) ?? ''
    if (key.includes('{'))
      throw cursor.fault(`a blank is missing before the '{' in ${JSON.stringify(key)}`)
    return key
  }

  #include(scope: Scope): void {
    const place = this.#cursor.place
    const written = this.#cursor.take(INCLUDE_PATH)
    if (written === undefined) {
      throw configurationError(
        place,
        `expected a path after include but found ${this.#cursor.describeNext()}`,
      )
    }
    this.#cursor.takeIf(`'`)
    const path = written.replace(/^(["'])(.*)\1$/s, '$2')
    const from = this.#including.at(-1) ?? ''
    const included = parseFile(join(dirname(from), path), place, this.#sources, this.#including)
    // The very objects are shared, so that a reference from here marks the included setting as a variable.
    for (const setting of included.values()) this.#add(scope, setting)
  }

  /** The last setting of a key is the one that counts, as in nats-server. */
  #add(scope: Scope, setting: Setting): void {
    const before = scope.settings.get(setting.key)
    scope.settings.delete(setting.key)
    scope.settings.set(
      setting.key,
      before === undefined ? setting : { ...setting, replaced: before.place },
    )
  }

  /** `level` counts the blocks and arrays around the value. */
  #readValue(scope: Scope | undefined, level: number): Content {
    const cursor = this.#cursor
    if (level >= MOST_LEVELS) throw cursor.fault(`nested deeper than ${MOST_LEVELS} levels`)
    switch (cursor.peek()) {
      case '{':
        return this.#readBlock(scope, level)
      case '[':
        return this.#readArray(scope, level)
      case '(':
        return { kind: 'string', text: readBlockString(cursor) }
      case `'`:
        return { kind: 'string', text: readSingleQuoted(cursor) }
      case '"':
        return { kind: 'string', text: readDoubleQuoted(cursor) }
      case '.':
        throw cursor.fault(`a value cannot start with '.'; quote it to have a string`)
      default:
        return readNumber(cursor) ?? this.#readWord(scope)
    }
  }

  #readBlock(outer: Scope | undefined, level: number): Content {
    const scope: Scope = { settings: new Map(), outer, level: level + 1, isNested: true }
    this.#readSettings(scope)
    return { kind: 'block', settings: scope.settings }
  }

  #readArray(scope: Scope | undefined, level: number): Content {
    const cursor = this.#cursor
    const { place } = cursor
    const elements: ConfigurationValue[] = []
    cursor.takeIf('[')
    cursor.skipSpaceAndComments()
    while (!cursor.takeIf(']')) {
      if (cursor.isAtEnd) throw configurationError(place, `an array has no closing ']'`)
      elements.push({ place: cursor.place, content: this.#readValue(scope, level + 1) })
      this.#endElement()
      cursor.skipSpaceAndComments()
    }
    return { kind: 'array', elements }
  }

  /** After an element: a line end, a comma, or the `]` of its array, which stays. */
  #endElement(): void {
    const cursor = this.#cursor
    cursor.skipBlanks()
    cursor.skipComment()
    if (cursor.isAtEnd || '\r\n]'.includes(cursor.peek()) || cursor.takeIf(',')) return
    throw cursor.fault(`expected ',' or ']' after the element but found ${cursor.describeNext()}`)
  }

  /** A word without quotes: a boolean, a variable or a string. */
  #readWord(scope: Scope | undefined): Content {
    const place = this.#cursor.place
    const { text, isPlain } = readBare(this.#cursor)
    if (isPlain) return { kind: 'string', text }
    if (TRUE.test(text)) return { kind: 'boolean', isTrue: true }
    if (FALSE.test(text)) return { kind: 'boolean', isTrue: false }
    if (!text.startsWith('$') || BCRYPT_REFERENCE.test(text)) return { kind: 'string', text }
    return this.#resolve(text.slice(1), scope, place)
  }

  #resolve(name: string, scope: Scope | undefined, place: Place): Content {
    for (let inner = scope; inner !== undefined; inner = inner.outer) {
      const setting = inner.settings.get(name)
      if (setting === undefined) continue
      setting.isVariable = true
      return setting.content
    }
    if (this.#expanding.includes(name))
      throw configurationError(place, `variable $${name} refers to itself`)
    const { environment } = this.#sources
    const text = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (text === undefined) {
      throw configurationError(
        place,
        `variable $${name} is set neither before this line nor in the environment`,
      )
    }
    const cursor = new TextCursor(text, place, { hasLines: false })
    cursor.skipBlanks()
    const expanding = [...this.#expanding, name]
    return new ConfigurationParser(cursor, this.#sources, this.#including, expanding).parseValue()
  }
}
