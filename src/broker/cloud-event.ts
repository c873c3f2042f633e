// The envelope on the wire: a CloudEvent in the NATS binary binding (CloudEvents 1.0.3, nats-protocol-binding): each
// attribute is a header `ce-<name>`, percent-encoded where it must be; the body is the data.
import type { MessageHeaders } from './message-headers.js'

export interface EventAttributes {
  readonly id: string
  readonly type: string
  readonly kind: string | undefined
  readonly time: Date
  readonly contentType: string
  readonly key: string | undefined
}

/** Half of a pair, which has no bytes; written as the replacement character, as TextEncoder does. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** What a message of ours gives as its source when the publisher names none. */
const SOURCE = '/fanfare'

/** The attributes as headers. */
export function toHeaders(attributes: EventAttributes): [string, string][] {
  const fields: [string, string][] = [
    ['ce-specversion', '1.0'],
    ['ce-id', attributes.id],
    ['ce-source', SOURCE],
    ['ce-type', attributes.type],
    ['ce-time', attributes.time.toISOString()],
    ['ce-datacontenttype', attributes.contentType],
  ]
  if (attributes.kind !== undefined) fields.push(['ce-kind', attributes.kind])
  if (attributes.key !== undefined) fields.push(['ce-partitionkey', attributes.key])
  return fields.map(([name, value]) => [name, encodeValue(value)])
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
  const wellFormed = value.replace(LONE_SURROGATE, '\ufffd')
  return wellFormed.replace(/[^\x21\x23\x24\x26-\x7e]+/g, encodeURIComponent)
}
