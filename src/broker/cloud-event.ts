// The envelope on the wire: a CloudEvent in the NATS binary binding (CloudEvents 1.0.3, nats-protocol-binding): each
// attribute is a header `ce-<name>`, percent-encoded where it must be; the body is the data. Names of ours beyond the core:
// `kind`, `partitionkey` (extension Partitioning), `correlationid` and `causationid` (extension Correlation).
import { decodeAttribute, encodeAttribute } from '../codec/index.js'
import type { Message } from './message.js'
import type { HeadersInput, MessageHeaders } from './message-headers.js'
import type { HeaderField } from './message-writer.js'

/** What all messages of one publication have in common. */
export interface CommonAttributes {
  readonly type: string
  readonly kind: string | undefined
  readonly contentType: string
  readonly source: string
}

let lastTimeMs = NaN
let lastTimeText = ''

/** What a message of ours gives as its source when the broker has none. */
export const DEFAULT_SOURCE = '/fanfare'

/** What a publisher adds to the envelope of a message. */
export interface OwnAttributes {
  readonly key?: string | undefined
  readonly correlationId?: string | undefined
  readonly causationId?: string | undefined
  readonly attributes?: Readonly<Record<string, string>> | undefined
}

/** What the publisher of a message says of it, with what it takes over. */
export interface PublishedAttributes extends OwnAttributes {
  readonly id?: string | undefined
  readonly headers?: HeadersInput | undefined
}

/** The same as options. */
export interface AttributeOptions {
  readonly id?: string | undefined
  readonly key?: string | undefined
  readonly headers?: HeadersInput | undefined
  readonly correlationId?: string | undefined
  readonly cause?: Message | undefined
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** The common attributes as headers. */
export function toCommonHeaders({
  type,
  kind,
  contentType,
  source,
}: CommonAttributes): HeaderField[] {
  const fields: HeaderField[] = [
    ['ce-specversion', '1.0'],
    ['ce-source', encodeAttribute(source)],
    ['ce-type', encodeAttribute(type)],
    ['ce-datacontenttype', encodeAttribute(contentType)],
  ]
  if (kind !== undefined) fields.push(['ce-kind', kind])
  return fields
}

/** What a message has of its own as headers. */
export function toOwnHeaders(id: string, timeMs: number, own: OwnAttributes = {}): HeaderField[] {
  const { key, correlationId, causationId, attributes } = own
  const fields: HeaderField[] = [
    ['ce-id', encodeAttribute(id)],
    ['ce-time', toText(timeMs)],
  ]
  if (key !== undefined) fields.push(['ce-partitionkey', encodeAttribute(key)])
  if (correlationId !== undefined) fields.push(['ce-correlationid', encodeAttribute(correlationId)])
  if (causationId !== undefined) fields.push(['ce-causationid', encodeAttribute(causationId)])
  for (const name in attributes) fields.push([`ce-${name}`, encodeAttribute(attributes[name]!)])
  return fields
}

/** One attribute of a received message, or undefined. */
export function readAttribute(headers: MessageHeaders, name: string): string | undefined {
  const value = headers.find(`ce-${name}`)
  return value === undefined ? undefined : decodeAttribute(value)
}

/** Many messages share a millisecond. */
function toText(timeMs: number): string {
  if (timeMs !== lastTimeMs) {
    lastTimeMs = timeMs
    lastTimeText = new Date(timeMs).toISOString()
  }
  return lastTimeText
}
