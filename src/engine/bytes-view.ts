// A message of bytes as filters see it: each part is decoded when it is first asked for. A compressed body is seen as it was, and a
// CloudEvent in structured mode as if it were in binary mode.
import {
  decodeAttribute,
  decompress,
  isStructured,
  jsonCodec,
  StructuredEvent,
} from '../codec/index.js'
import type { FilterView } from '../filter/index.js'
import { decodeHeaderBlock, findHeader, readBodyHeaders } from '../wire/index.js'
import type { TopicHandle } from '../topic/index.js'

/** What is seen of a message's bytes. */
interface MessageBytes {
  readonly handle: TopicHandle
  readonly buffer: Uint8Array
  readonly headersStart: number
  readonly headersEnd: number
  readonly headerBlock: Uint8Array
  readonly body: Uint8Array
}

type Headers = Record<string, string | readonly string[]>

export class BytesView implements FilterView {
  readonly #message: MessageBytes
  #headers: Headers | undefined
  #isParsed = false
  #isJson = true
  #data: unknown
  #event: StructuredEvent | undefined

  constructor(message: MessageBytes) {
    this.#message = message
  }

  get topic(): string {
    return this.#message.handle.name
  }

  get type(): string {
    return this.#attribute('type') ?? this.topic
  }

  get key(): string | undefined {
    return this.#attribute('partitionkey')
  }

  get headers(): Headers {
    return (this.#headers ??= readHeaders(this.#message))
  }

  get isJson(): boolean {
    this.#parse()
    return this.#isJson
  }

  get data(): unknown {
    this.#parse()
    return this.#data
  }

  #attribute(name: string): string | undefined {
    const { buffer, headersStart, headersEnd } = this.#message
    if (headersEnd === headersStart) return undefined
    const value = findHeader(buffer, headersStart, headersEnd, `ce-${name}`)
    if (value !== undefined) return decodeAttribute(value)
    if (!isStructured(findHeader(buffer, headersStart, headersEnd, 'content-type') ?? ''))
      return undefined
    this.#parse()
    return this.#event?.attribute(name)
  }

  #parse(): void {
    if (this.#isParsed) return
    this.#isParsed = true
    try {
      this.#parseBody()
    } catch {
      this.#isJson = false
    }
  }

  /** Throws for what cannot be decoded: to a filter, data that is no JSON. */
  #parseBody(): void {
    const { headerBlock, body } = this.#message
    const { contentType, contentEncoding } = readBodyHeaders(headerBlock)
    const bytes = contentEncoding === undefined ? body : decompress(body, contentEncoding)
    if (contentType !== undefined && isStructured(contentType)) {
      this.#event = StructuredEvent.parse(bytes, contentType)
      this.#data = this.#event.decodeData(JSON_ONLY, undefined)
      return
    }
    // An empty body is an absent value, as it is for the codec.
    if (bytes.length === 0) return
    this.#isJson = mayBeginJson(bytes[0]!)
    if (this.#isJson) this.#data = JSON.parse(decoder.decode(bytes))
  }
}

const JSON_ONLY = { preferred: jsonCodec, others: [] }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** White space, or the first byte of a value: what is plainly something else costs no exception. */
function mayBeginJson(byte: number): boolean {
  return JSON_BEGINNINGS.includes(String.fromCharCode(byte))
}

const JSON_BEGINNINGS = '{["-0123456789tfn \t\r\n'

function readHeaders(message: MessageBytes): Headers {
  const headers = Object.create(null) as Headers
  for (const [name, value] of decodeHeaderBlock(message.headerBlock).fields) {
    const found = /^ce-/i.test(name) ? name.toLowerCase() : name
    const earlier = headers[found]
    headers[found] = earlier === undefined ? value : [earlier, value].flat()
  }
  return headers
}
