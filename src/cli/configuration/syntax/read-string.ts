// The four ways to write a string:
//
//   'as it is'     up to the next quote, lines included
//   "with escapes" \t \n \r \" \\ and \xHH, lines included
//   bare           up to white space or one of , ; ] } ' with the same escapes; the ' is swallowed, as in nats-server
//   ( block        up to a ")" that is alone on its line; the line ends around the text are part of it
import { configurationError } from './configuration-error.js'
import type { TextCursor } from './text-cursor.js'

const SINGLE_QUOTED_TEXT = /[^']*/y
const DOUBLE_QUOTED_TEXT = /[^"\\]*/y
const BARE_TEXT = /[^\t \r\n,;\]}'\\]*/y
/** nats-server looks for the end and for escapes only behind the character that shows a number to be a word. */
const DIGITS_AND_VERBATIM = /\d+['\\]/y
const REST_OF_LINE = /[^\n]*\n?/y
const BLOCK_CLOSE = /\)(?=\r?\n|$)/y
const BYTE_ESCAPES = /(?:\\x[0-9a-fA-F]{2})+/y
const ESCAPE = /\\[tnr"\\]/y
const ESCAPED: Readonly<Record<string, string>> = {
  '\\t': '\t',
  '\\n': '\n',
  '\\r': '\r',
  '\\"': '"',
  '\\\\': '\\',
}

export interface BareText {
  readonly text: string
  /** Whether an escape or the quote that cut it says that it is neither a boolean nor a variable. */
  readonly isPlain: boolean
}

interface EscapableText {
  readonly text: string
  readonly isEscaped: boolean
}

/** The opening quote is next. */
export function readSingleQuoted(cursor: TextCursor): string {
  const { place } = cursor
  cursor.takeIf(`'`)
  const text = cursor.take(SINGLE_QUOTED_TEXT) ?? ''
  if (!cursor.takeIf(`'`)) throw configurationError(place, `a string has no closing '`)
  return text
}

/** The opening quote is next. */
export function readDoubleQuoted(cursor: TextCursor): string {
  const { place } = cursor
  cursor.takeIf('"')
  const { text } = readEscapable(cursor, DOUBLE_QUOTED_TEXT)
  if (!cursor.takeIf('"')) throw configurationError(place, 'a string has no closing "')
  return text
}

export function readBare(cursor: TextCursor): BareText {
  const start = cursor.take(DIGITS_AND_VERBATIM) ?? ''
  const { text, isEscaped } = readEscapable(cursor, BARE_TEXT)
  const isCut = cursor.takeIf(`'`)
  if (start === '' && text === '' && !isEscaped && !isCut) {
    throw cursor.fault(`expected a value but found ${cursor.describeNext()}`)
  }
  return { text: start + text, isPlain: isEscaped || isCut }
}

/** The opening parenthesis is next. */
export function readBlockString(cursor: TextCursor): string {
  const { place } = cursor
  cursor.takeIf('(')
  const lines = [cursor.take(REST_OF_LINE) ?? '']
  while (cursor.take(BLOCK_CLOSE) === undefined) {
    if (cursor.isAtEnd) throw configurationError(place, `a block string has no ')' alone on a line`)
    lines.push(cursor.take(REST_OF_LINE) ?? '')
  }
  return lines.join('')
}

function readEscapable(cursor: TextCursor, plain: RegExp): EscapableText {
  let text = cursor.take(plain) ?? ''
  let isEscaped = false
  while (cursor.peek() === '\\') {
    isEscaped = true
    text += readEscape(cursor) + (cursor.take(plain) ?? '')
  }
  return { text, isEscaped }
}

function readEscape(cursor: TextCursor): string {
  const bytes = cursor.take(BYTE_ESCAPES)
  if (bytes !== undefined) return decodeBytes(cursor, bytes)
  const escape = cursor.take(ESCAPE)
  if (escape !== undefined) return ESCAPED[escape] ?? ''
  throw cursor.fault(
    'unknown escape: only \\t \\n \\r \\" \\\\ and \\x with two hexadecimal digits exist',
  )
}

/** Escaped bytes that follow each other are one piece of UTF-8. */
function decodeBytes(cursor: TextCursor, escapes: string): string {
  const bytes = Buffer.from(escapes.replaceAll('\\x', ''), 'hex')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw cursor.fault(`escaped bytes are not UTF-8: ${escapes.slice(0, 40)}`)
  }
}
