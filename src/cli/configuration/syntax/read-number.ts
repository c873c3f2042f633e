// Numbers and what starts like one. A bare word may begin with a digit (`10s`, `127.0.0.1:4222`), hence the order:
//
//   integer  = ["-"] digits [ ("k"|"m"|"g"|"t"|"p"|"e") *("b"|"i") ]   up to the end of the value, in either case
//   datetime = YYYY-MM-DDTHH:MM:SSZ
//   address  = digits "." digits "." *( digit | "." | ":" | "-" )      a string
//   float    = ["-"] digits "." digits
//   anything else that starts with a digit is a bare string, which is not read here
//
// As in nats-server, a bare "k" is 1000 while "kb", "ki" and "kib" are 1024.
import type { Content } from './configuration-value.js'
import type { TextCursor } from './text-cursor.js'

const INTEGER = /-?\d+(?:[kmgtpe][bi]*)?(?=[\t \r\n,;}\]]|$)/iy
const INTEGER_PARTS = /^(-?)0*(\d+)([a-z]*)$/
const DATETIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/y
const DATE_START = /\d+-/y
const ADDRESS = /-?\d+\.\d+\.[\d.:-]*/y
const FLOAT = /-?\d+\.\d+/y
const FLOAT_START = /-?\d+\./y

/** 2^63 has 19 digits. */
const MOST_DIGITS = 19
const SIZE_LETTERS = 'kmgtpe'
const BINARY_TAILS = ['b', 'i', 'ib']

/** The number, datetime or address that is next; undefined when a bare string is. */
export function readNumber(cursor: TextCursor): Content | undefined {
  const integer = cursor.take(INTEGER)
  if (integer !== undefined) return { kind: 'integer', number: toInteger(cursor, integer) }
  const datetime = cursor.take(DATETIME)
  if (datetime !== undefined) return { kind: 'datetime', date: toDate(cursor, datetime) }
  if (cursor.take(DATE_START) !== undefined) {
    throw cursor.fault('a date must be written in full, such as 2026-01-31T12:00:00Z')
  }
  const address = cursor.take(ADDRESS)
  if (address !== undefined) return { kind: 'string', text: address }
  const float = cursor.take(FLOAT)
  if (float !== undefined) return { kind: 'float', number: toFloat(cursor, float) }
  if (cursor.take(FLOAT_START) !== undefined) {
    throw cursor.fault(`a number needs a digit after the '.', not ${cursor.describeNext()}`)
  }
  if (cursor.peek() === '-') throw cursor.fault(`'-' starts a number; quote it to have a string`)
  return undefined
}

function toInteger(cursor: TextCursor, text: string): number {
  const [, sign = '', digits = '', suffix = ''] = INTEGER_PARTS.exec(text.toLowerCase()) ?? []
  const factor = findFactor(suffix)
  if (factor === undefined) throw cursor.fault(`unknown size suffix in ${text}`)
  if (digits.length > MOST_DIGITS) throw outOfRange(cursor, text)
  const exact = BigInt(`${sign}${digits}`) * factor
  if (BigInt.asIntN(64, exact) !== exact) throw outOfRange(cursor, text)
  return Number(exact)
}

function findFactor(suffix: string): bigint | undefined {
  if (suffix === '') return 1n
  const power = BigInt(SIZE_LETTERS.indexOf(suffix.charAt(0)) + 1)
  if (suffix.length === 1) return 1000n ** power
  return BINARY_TAILS.includes(suffix.slice(1)) ? 1024n ** power : undefined
}

function toFloat(cursor: TextCursor, text: string): number {
  const number = Number(text)
  if (!Number.isFinite(number)) throw outOfRange(cursor, text)
  return number
}

function toDate(cursor: TextCursor, text: string): Date {
  const date = new Date(text)
  // A day that does not exist, such as 30 February, would silently become another one.
  const isReal = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, -1))
  if (!isReal) throw cursor.fault(`no such date: ${text}`)
  return date
}

function outOfRange(cursor: TextCursor, text: string): Error {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return cursor.fault(`number out of range: ${shown}`)
}
