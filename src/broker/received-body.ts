// The body of a received message as its headers describe it: its codec, its compression, and whether it is the data or, in
// structured mode, a whole event.
import { decodeBody, decompress, isStructured, pick, StructuredEvent } from '../codec/index.js'
import { readBodyHeaders, type BodyHeaders } from '../wire/index.js'
import type { AnyDefinition } from './definition.js'
import type { MessageContext } from './message-context.js'

export class ReceivedBody {
  readonly #bytes: Uint8Array
  readonly #context: MessageContext
  readonly #definition: AnyDefinition | undefined
  readonly #headers: BodyHeaders
  /** Null: it is in binary mode, or cannot be read. */
  #event: StructuredEvent | null | undefined

  constructor(
    headerBlock: Uint8Array,
    bytes: Uint8Array,
    context: MessageContext,
    definition: AnyDefinition | undefined,
  ) {
    this.#bytes = bytes
    this.#context = context
    this.#definition = definition
    this.#headers = readBodyHeaders(headerBlock)
  }

  /** Null for a message in binary mode; one that says it is structured and is not has no attributes to lose. */
  get event(): StructuredEvent | null {
    if (this.#event !== undefined) return this.#event
    const { contentType } = this.#headers
    if (contentType === undefined || !isStructured(contentType)) return (this.#event = null)
    try {
      return this.#parseEvent(contentType)
    } catch {
      return (this.#event = null)
    }
  }

  /** Throws DECODE_FAILED, PAYLOAD_TOO_LARGE. */
  decode(): unknown {
    const { codecs } = this.#context
    const own = this.#definition?.codec
    const { contentType, dataContentType } = this.#headers
    if (contentType !== undefined && isStructured(contentType)) {
      return this.#parseEvent(contentType).decodeData(codecs, own)
    }
    const stated = dataContentType ?? contentType
    const codec = stated === undefined ? (own ?? codecs.preferred) : pick(stated, codecs, own)
    return decodeBody(codec, this.#inflate())
  }

  #parseEvent(contentType: string): StructuredEvent {
    return (this.#event ??= StructuredEvent.parse(this.#inflate(), contentType))
  }

  #inflate(): Uint8Array {
    const { contentEncoding } = this.#headers
    if (contentEncoding === undefined) return this.#bytes
    return decompress(this.#bytes, contentEncoding, this.#context.maxInflatedBytes)
  }
}
