// The envelope on the wire: a CloudEvent in the NATS binary binding (CloudEvents 1.0.3, nats-protocol-binding): each
// attribute is a header `ce-<name>`, percent-encoded where it must be; the body is the data.
import type { MessageHeaders } from './message-headers.js'
import type { HeaderField } from './message-writer.js'

/** What all messages of one publication have in common. */
export interface CommonAttributes {
  readonly type: string
  readonly kind: string | undefined
  readonly contentType: string
}

/** Half of a pair, which has no bytes; written as the replacement character, as TextEncoder does. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** Text that stands for itself. */
const PLAIN = /^[\x21\x23\x24\x26-\x7e]*$/

let lastTimeMs = NaN
let lastTimeText = ''

/** What a message of ours gives as its source when the publisher names none. */
const SOURCE = '/fanfare'

/** The common attributes as headers. */
export function toCommonHeaders({ type, kind, contentType }: CommonAttributes): HeaderField[] {
  const fields: HeaderField[] = [
    ['ce-specversion', '1.0'],
    ['ce-source', SOURCE],
    ['ce-type', encodeValue(type)],
    ['ce-datacontenttype', encodeValue(contentType)],
  ]
  if (kind !== undefined) fields.push(['ce-kind', kind])
  return fields
}

/** What a message has of its own as headers. */
export function toOwnHeaders(id: string, timeMs: number, key: string | undefined): HeaderField[] {
  const fields: HeaderField[] = [
    ['ce-id', encodeValue(id)],
    ['ce-time', toText(timeMs)],
  ]
  if (key !== undefined) fields.push(['ce-partitionkey', encodeValue(key)])
  return fields
}

/** One attribute of a received message, or undefined. */
export function readAttribute(headers: MessageHeaders, name: string): string | undefined {
  const value = headers.find(`ce-${name}`)
  if (value === undefined) return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** Percent-encodes space, `"`, `%` and everything outside U+0021 to U+007E (binding, section 3.1.3). */
function encodeValue(value: string): string {
  if (PLAIN.test(value)) return value
  const wellFormed = value.replace(LONE_SURROGATE, '\ufffd')
  return wellFormed.replace(/[^\x21\x23\x24\x26-\x7e]+/g, encodeURIComponent)
}

/** Many messages share a millisecond. */
function toText(timeMs: number): string {
  if (timeMs !== lastTimeMs) {
    lastTimeMs = timeMs
    lastTimeText = new Date(timeMs).toISOString()
  }
  return lastTimeText
}
