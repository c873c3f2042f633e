// A message published in this process. It carries the value itself; id, time, headers and bytes are made when somebody asks
// for them, so that an emit to a handler in the same process costs one object (`npm run bench:process`).
import { IdentifierSource, type Clock } from '../base/index.js'
import type { Codec } from '../codec/index.js'
import { EngineMessage } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import { encodeHeaderBlock } from '../wire/index.js'
import { toHeaders } from './cloud-event.js'
import type { AnyDefinition, MessageKind } from './definition.js'
import { MessageHeaders, type HeadersInput } from './message-headers.js'
import type { Message } from './message.js'

export interface PublishedAttributes {
  readonly id?: string | undefined
  readonly key?: string | undefined
  readonly headers?: HeadersInput | undefined
}

/** What all messages of one broker share. */
export interface MessageContext {
  readonly clock: Clock
  readonly codec: Codec
}

const NO_BYTES = new Uint8Array(0)
const NO_ATTRIBUTES: PublishedAttributes = {}
const encoder = new TextEncoder()

let identifiers: IdentifierSource | undefined

/** Made at the first use: importing the library draws no randomness. */
export function nextIdentifier(): string {
  identifiers ??= new IdentifierSource()
  return identifiers.next()
}

export class LiveMessage extends EngineMessage implements Message {
  /** What receivers in this process get: the schema's output. */
  readonly data: unknown
  readonly definition: AnyDefinition | undefined
  /** What travels: the schema's input. */
  readonly #input: unknown
  readonly #context: MessageContext
  readonly #attributes: PublishedAttributes
  #reply: string | undefined
  #id: string | undefined
  #timeMs = 0
  #hasBytes = false

  constructor(
    topic: TopicHandle,
    context: MessageContext,
    input: unknown,
    data: unknown,
    definition: AnyDefinition | undefined,
    attributes: PublishedAttributes = NO_ATTRIBUTES,
  ) {
    super(topic)
    this.#context = context
    this.#input = input
    this.data = data
    this.definition = definition
    this.#attributes = attributes
  }

  get id(): string {
    return (this.#id ??= this.#attributes.id ?? nextIdentifier())
  }

  get topic(): string {
    return this.handle.name
  }

  get type(): string {
    return this.definition?.type ?? this.handle.name
  }

  get kind(): MessageKind | undefined {
    return this.definition?.kind
  }

  get params(): Readonly<Record<string, string>> {
    return this.definition?.template.read(this.handle.name) ?? {}
  }

  get time(): Date {
    return new Date(this.#stamp())
  }

  get key(): string | undefined {
    return this.#attributes.key
  }

  get headers(): MessageHeaders {
    return MessageHeaders.from(this.#attributes.headers)
  }

  get bytes(): Uint8Array {
    this.materialize()
    return this.body
  }

  get replyTo(): string | undefined {
    return this.#reply
  }

  override get replyTopic(): string | undefined {
    return this.#reply
  }

  override get hasReply(): boolean {
    return this.#reply !== undefined
  }

  /** Its own object already: only the moment is fixed. */
  override retain(): EngineMessage {
    this.#stamp()
    return this
  }

  override withReply(reply: string): EngineMessage {
    this.#reply = reply
    return this
  }

  override materialize(): void {
    if (this.#hasBytes) return
    const body = this.#context.codec.encode(this.#input)
    const reply = this.#reply === undefined ? NO_BYTES : encoder.encode(this.#reply)
    this.setParts(reply, this.#encodeHeaders(), body)
    this.#hasBytes = true
  }

  #encodeHeaders(): Uint8Array {
    const given = this.headers
    if (this.definition === undefined && given.size === 0) return NO_BYTES
    const own =
      this.definition === undefined
        ? []
        : toHeaders({
            id: this.id,
            type: this.type,
            kind: this.definition.kind,
            time: this.time,
            contentType: this.#context.codec.contentType,
            key: this.key,
          })
    return encodeHeaderBlock([...own, ...given])
  }

  #stamp(): number {
    if (this.#timeMs === 0) this.#timeMs = this.#context.clock.nowMs()
    return this.#timeMs
  }
}
