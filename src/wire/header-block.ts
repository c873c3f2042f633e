// Headers as NATS writes them (ADR-4): a version line, one field a line, an empty line. Names keep their case; a name may
// come more than once. A first line with a number after the version is a status that the server sends.
//
//   NATS/1.0[ <status>[ <description>]]\r\n
//   <name>: <value>\r\n
//   \r\n
import { FanfareError } from '../base/index.js'

const VERSION = 'NATS/1.0'
const BAD_NAME = /[:\r\n\s]/
const BAD_VALUE = /[\r\n]/

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export interface HeaderBlock {
  /** 0 when there is no status. */
  readonly status: number
  readonly description: string
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** Throws HEADER_INVALID for a name or value that is no text or would break the block. */
export function assertHeaderField(name: unknown, value: unknown): void {
  const isName = typeof name === 'string' && name !== '' && !BAD_NAME.test(name)
  if (isName && typeof value === 'string' && !BAD_VALUE.test(value)) return
  throw new FanfareError(
    'HEADER_INVALID',
    `invalid header ${JSON.stringify(`${String(name)}: ${String(value)}`)}`,
  )
}

/** Encodes fields; throws HEADER_INVALID for a name or value that would break the block. */
export function encodeHeaderBlock(fields: Iterable<readonly [string, string]>): Uint8Array {
  let text = `${VERSION}\r\n`
  for (const [name, value] of fields) {
    assertHeaderField(name, value)
    text += `${name}: ${value}\r\n`
  }
  return encoder.encode(`${text}\r\n`)
}

/** Decodes a block; lines that are no fields are passed over, as the official clients do. */
export function decodeHeaderBlock(bytes: Uint8Array): HeaderBlock {
  const lines = decoder.decode(bytes).split('\r\n')
  const [first = ''] = lines
  const match = /^NATS\/1\.0(?:\s+(\d{3})(?:\s+(.*))?)?/.exec(first)
  const fields: (readonly [string, string])[] = []
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.push([line.slice(0, colon), line.slice(colon + 1).trim()])
  }
  return { status: Number(match?.[1] ?? 0), description: match?.[2] ?? '', fields }
}

/**
 * The value of a field in the block `bytes[from, to)`, without decoding the others; undefined when it is not there. The name is
 * given in lower case and found in any.
 */
export function findHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  lowerName: string,
): string | undefined {
  for (let line = nextLine(bytes, from, to); line < to; line = nextLine(bytes, line, to)) {
    if (!startsWith(bytes, line, to, lowerName)) continue
    const valueStart = line + lowerName.length + 1
    const valueEnd = nextLine(bytes, valueStart, to)
    return decoder.decode(bytes.subarray(valueStart, valueEnd)).trim()
  }
  return undefined
}

function nextLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== 10) at += 1
  return at + 1
}

/** Whether the field at `at` has the name, a colon after it. */
function startsWith(bytes: Uint8Array, at: number, to: number, lowerName: string): boolean {
  const end = at + lowerName.length
  if (end >= to || bytes[end] !== 58) return false
  for (let i = 0; i < lowerName.length; i++) {
    const byte = bytes[at + i]!
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte
    if (lower !== lowerName.charCodeAt(i)) return false
  }
  return true
}
