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
const TAB = 9

export function readBodyHeaders(block: Uint8Array): BodyHeaders {
  const found: BodyHeaders = {
    dataContentType: undefined,
    contentType: undefined,
    contentEncoding: undefined,
  }
  let at = 0
  while (at < block.length) {
    // All three begin with it.
    if ((block[at]! | LOWER_CASE) === LOWER_C) {
      found.dataContentType ??= valueOf(block, at, NAMES.dataContentType)
      found.contentType ??= valueOf(block, at, NAMES.contentType)
      found.contentEncoding ??= valueOf(block, at, NAMES.contentEncoding)
    }
    // A loop: over the few bytes of a line it takes a third of what `indexOf` does.
    while (at < block.length && block[at] !== LINE_FEED) at += 1
    at += 1
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
  let start = colon + 1
  while (start < block.length && isBlank(block[start]!)) start += 1
  let end = start
  while (end < block.length && block[end] !== LINE_FEED) end += 1
  while (end > start && block[end - 1]! <= SPACE) end -= 1
  return textOf(block, start, end)
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB
}

let lastBytes = new Uint8Array(0)
let lastText = ''

/** Most messages are of one type: its text is made once. */
function textOf(block: Uint8Array, start: number, end: number): string {
  let i = 0
  while (i < lastBytes.length && lastBytes[i] === block[start + i]) i += 1
  if (i === lastBytes.length && i === end - start) return lastText
  lastBytes = block.slice(start, end)
  return (lastText = decodeExactly(block, start, end))
}
