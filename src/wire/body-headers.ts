// What a header block says of the body behind it, found in one pass over its bytes: most messages are read for their data only,
// and decoding every field of each would cost more than the data.
import { decodeExactly } from '../base/index.js'

/** What is not said is undefined. Names are found in any case; the first of a name counts. */
export interface BodyHeaders {
  /** Of the data, as the CloudEvents binding writes it. */
  dataContentType: string | undefined
  /** Of the body; names structured mode. */
  contentType: string | undefined
  contentEncoding: string | undefined
}

const NAMES = {
  dataContentType: 'ce-datacontenttype',
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
} as const

const COLON = 58
const LINE_FEED = 10
const LOWER_CASE = 32
const LOWER_C = 99
const SPACE = 32

export function readBodyHeaders(block: Uint8Array): BodyHeaders {
  const found: BodyHeaders = {
    dataContentType: undefined,
    contentType: undefined,
    contentEncoding: undefined,
  }
  for (let line = 0; line < block.length; line = block.indexOf(LINE_FEED, line) + 1 || Infinity) {
    // All three begin with it.
    if ((block[line]! | LOWER_CASE) !== LOWER_C) continue
    found.dataContentType ??= valueOf(block, line, NAMES.dataContentType)
    found.contentType ??= valueOf(block, line, NAMES.contentType)
    found.contentEncoding ??= valueOf(block, line, NAMES.contentEncoding)
  }
  return found
}

/** The value of the field in the line at `from`, when it has the name. */
function valueOf(block: Uint8Array, from: number, lowerName: string): string | undefined {
  const colon = from + lowerName.length
  if (block[colon] !== COLON) return undefined
  for (let i = 0; i < lowerName.length; i++) {
    const byte = block[from + i]!
    const isLetter = byte >= 65 && byte <= 90
    if ((isLetter ? byte | LOWER_CASE : byte) !== lowerName.charCodeAt(i)) return undefined
  }
  const lineEnd = block.indexOf(LINE_FEED, colon)
  let [start, end] = [colon + 1, lineEnd < 0 ? block.length : lineEnd]
  while (start < end && block[start]! <= SPACE) start += 1
  while (end > start && block[end - 1]! <= SPACE) end -= 1
  return decodeExactly(block, start, end)
}
