// What a server says to a client, as bytes:
//
//   INFO {json}   +OK   -ERR '<text>'   PING   PONG
//   MSG  <subject> <sid> [reply] <bytes>              then <bytes> of body and CRLF
//   HMSG <subject> <sid> [reply] <headers> <total>    then <total> bytes and CRLF
import { copyIntoSlab, type Slab } from '../../base/index.js'

const SPACE = 0x20
const CR = 0x0d
const LF = 0x0a

const encoder = new TextEncoder()

export const pingLine = encoder.encode('PING\r\n')
export const pongLine = encoder.encode('PONG\r\n')
export const okLine = encoder.encode('+OK\r\n')

export function encodeInfo(information: object): Uint8Array {
  // The trailing space before CRLF is nats-server's; some parsers have come to split on it.
  return encoder.encode(`INFO ${JSON.stringify(information)} \r\n`)
}

export function encodeError(text: string): Uint8Array {
  return encoder.encode(`-ERR '${text}'\r\n`)
}

/** "Nobody listens" on a request: status 503 in a header block, no body (ADR-4). */
export function encodeNoResponders(reply: string, sid: string, subject: string): Uint8Array {
  const block = encoder.encode(`NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`)
  const line = encoder.encode(`HMSG ${reply} ${sid} ${block.length} ${block.length}\r\n`)
  const frame = new Uint8Array(line.length + block.length + 2)
  frame.set(line)
  frame.set(block, line.length)
  frame[frame.length - 2] = CR
  frame[frame.length - 1] = LF
  return frame
}

/** Most bytes that the line of a message needs besides subject, sid and reply: verb, spaces, two counts, CRLF. */
export const MESSAGE_LINE_OVERHEAD = 32

/** Writes `MSG <subject> <sid> ` (or HMSG) at `at`; returns the position after it. Hot: see outbox.ts. */
export function writeMessageStart(
  slab: Slab,
  at: number,
  hasHeaders: boolean,
  subject: Uint8Array,
  sid: Uint8Array,
): number {
  const bytes = slab.bytes
  let i = at
  if (hasHeaders) bytes[i++] = 0x48
  bytes[i++] = 0x4d
  bytes[i++] = 0x53
  bytes[i++] = 0x47
  bytes[i++] = SPACE
  for (let j = 0; j < subject.length; j++) bytes[i++] = subject[j]!
  bytes[i++] = SPACE
  for (let j = 0; j < sid.length; j++) bytes[i++] = sid[j]!
  bytes[i++] = SPACE
  return i
}

/** Writes the reply subject in `source[from, to)` and a space. */
export function writeReply(
  slab: Slab,
  at: number,
  source: Uint8Array,
  from: number,
  to: number,
): number {
  const end = copyIntoSlab(source, from, to, slab, at)
  slab.bytes[end] = SPACE
  return end + 1
}

/** Writes the counts and the line's end; `headerBytes` below 0 leaves the first count out. */
export function writeCounts(
  slab: Slab,
  at: number,
  headerBytes: number,
  totalBytes: number,
): number {
  let i = at
  if (headerBytes >= 0) {
    i = writeNumber(slab.bytes, i, headerBytes)
    slab.bytes[i++] = SPACE
  }
  return writeLineEnd(slab, writeNumber(slab.bytes, i, totalBytes))
}

export function writeLineEnd(slab: Slab, at: number): number {
  slab.bytes[at] = CR
  slab.bytes[at + 1] = LF
  return at + 2
}

function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits += 1
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    bytes[i] = 0x30 + (rest % 10)
    rest = (rest / 10) | 0
  }
  return at + digits
}
