// A message of bytes as filters see it: each part is decoded when it is first asked for.
import type { FilterView } from '../filter/index.js'
import { decodeHeaderBlock, findHeader } from '../wire/index.js'
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

  constructor(message: MessageBytes) {
    this.#message = message
  }

  get topic(): string {
    return this.#message.handle.name
  }

  get type(): string {
    return this.#attribute('ce-type') ?? this.topic
  }

  get key(): string | undefined {
    return this.#attribute('ce-partitionkey')
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
    const value = findHeader(buffer, headersStart, headersEnd, name)
    return value === undefined ? undefined : percentDecoded(value)
  }

  #parse(): void {
    if (this.#isParsed) return
    this.#isParsed = true
    const { body } = this.#message
    // An empty body is an absent value, as it is for the codec.
    if (body.length === 0) return
    this.#isJson = mayBeginJson(body[0]!)
    if (!this.#isJson) return
    try {
      this.#data = JSON.parse(decoder.decode(body))
    } catch {
      this.#isJson = false
    }
  }
}

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

/** As the CloudEvents binding writes attributes; what is not written so is taken as it is. */
function percentDecoded(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
