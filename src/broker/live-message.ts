// A message published in this process. It carries the value itself; id, time, headers and bytes are made when somebody asks
// for them, so that an emit to a handler in the same process costs one object (`npm run bench:process`).
import { IdentifierSource } from '../base/index.js'
import { encodeBody, jsonCodec, type Codec, type Compressor } from '../codec/index.js'
import { BytesMessage, EngineMessage } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import { toCommonHeaders, toOwnHeaders, type PublishedAttributes } from './cloud-event.js'
import type { AnyDefinition, MessageKind } from './definition.js'
import type { MessageContext } from './message-context.js'
import { MessageHeaders } from './message-headers.js'
import type { Message } from './message.js'
import { encodeOpening, writeMessage, type HeaderField } from './message-writer.js'
import { appliesAt } from './validation.js'

const NO_BYTES = new Uint8Array(0)
const NO_FIELDS: readonly HeaderField[] = []
/** Of a message that has the publisher's headers only. */
const PLAIN_OPENING = encodeOpening([])
/** Of HTTP (RFC 9110, sections 8.4 and 12.5.3), as neither NATS nor CloudEvents has names of its own. */
const CONTENT_ENCODING = 'Content-Encoding'
export const ACCEPT_ENCODING = 'Accept-Encoding'
const encoder = new TextEncoder()

let identifiers: IdentifierSource | undefined

/** Made at the first use: importing the library draws no randomness. */
export function nextIdentifier(): string {
  identifiers ??= new IdentifierSource()
  return identifiers.next()
}

/** What all messages published to one topic through one definition share. */
export class Publication {
  readonly topic: TopicHandle
  readonly definition: AnyDefinition | undefined
  readonly context: MessageContext
  /** Only an event is emitted. */
  readonly isEmittable: boolean
  /** Data is validated before it is sent. */
  readonly isChecked: boolean
  /** What is being handled is looked up for every message. */
  readonly hasCauses: boolean
  /** Receivers get what the schema makes of the data. */
  readonly isRefined: boolean

  #opening: Uint8Array | undefined
  /** The last message that waits for its schema, or for one that does. */
  #turn: Promise<LiveMessage> | undefined

  constructor(topic: TopicHandle, definition: AnyDefinition | undefined, context: MessageContext) {
    this.topic = topic
    this.definition = definition
    this.context = context
    this.isEmittable = definition === undefined || definition.kind === 'event'
    this.hasCauses = context.causes !== undefined
    this.isChecked = appliesAt('publish', definition, context.validation)
    this.isRefined = appliesAt('receive', definition, context.validation)
  }

  /** What receivers in this process get. */
  dataOf(input: unknown, output: unknown): unknown {
    return this.isRefined ? output : input
  }

  /** Messages that need not wait go at once, unless one before them waits. */
  inTurn(message: LiveMessage | Promise<LiveMessage>): LiveMessage | Promise<LiveMessage> {
    const before = this.#turn
    if (before === undefined && message instanceof LiveMessage) return message
    const turn = afterSettled(before, message)
    this.#turn = turn
    const over = (): void => {
      if (this.#turn === turn) this.#turn = undefined
    }
    turn.then(over, over)
    return turn
  }

  get codec(): Codec {
    return this.definition?.codec ?? this.context.codecs.preferred
  }

  /** How the header block of a message with an envelope begins. */
  get opening(): Uint8Array {
    return (this.#opening ??= encodeOpening(
      toCommonHeaders({
        type: this.definition?.type ?? this.topic.name,
        kind: this.definition?.kind,
        contentType: this.codec.contentType,
        source: this.context.source,
      }),
    ))
  }
}

async function afterSettled<T>(
  before: Promise<unknown> | undefined,
  value: T | Promise<T>,
): Promise<T> {
  const [settled] = await Promise.allSettled([value, before])
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

/** What most messages never need: made when it differs from the plain case, or when somebody asks. */
interface Later {
  readonly attributes?: PublishedAttributes | undefined
  /** The schema's input, which is what travels. */
  readonly input?: unknown
  reply?: string
  id?: string
  timeMs?: number
  body?: Uint8Array
  /** The body as it travels: compressed, or the same where that makes it no smaller. */
  travelling?: Uint8Array
  bytes?: BytesMessage
}

export class LiveMessage extends EngineMessage implements Message {
  /** What receivers in this process get: the schema's output. */
  readonly data: unknown
  readonly #publication: Publication
  // Three fields are all: one message is made for every emit, and the memory that passes by is its cost.
  #later: Later | undefined

  constructor(
    publication: Publication,
    input: unknown,
    data: unknown,
    attributes: PublishedAttributes | undefined,
  ) {
    super()
    this.data = data
    this.#publication = publication
    this.#later = attributes === undefined && input === data ? undefined : { attributes, input }
  }

  override get handle(): TopicHandle {
    return this.#publication.topic
  }

  override get origin(): unknown {
    return undefined
  }

  get definition(): AnyDefinition | undefined {
    return this.#publication.definition
  }

  /** The data is what a receiver by the same definition is to get; otherwise its schema has still to be applied. */
  get isReady(): boolean {
    const { isChecked, isRefined } = this.#publication
    return isChecked || !isRefined
  }

  get id(): string {
    return (this.#lazy.id ??= this.#later?.attributes?.id ?? nextIdentifier())
  }

  get topic(): string {
    return this.handle.name
  }

  get type(): string {
    return this.definition?.type ?? this.topic
  }

  get kind(): MessageKind | undefined {
    return this.definition?.kind
  }

  get params(): Readonly<Record<string, string>> {
    return this.definition?.template.read(this.topic) ?? {}
  }

  get time(): Date {
    return new Date(this.#stamp())
  }

  get key(): string | undefined {
    return this.#later?.attributes?.key
  }

  get headers(): MessageHeaders {
    return MessageHeaders.from(this.#later?.attributes?.headers)
  }

  get correlationId(): string | undefined {
    return this.#later?.attributes?.correlationId
  }

  get causationId(): string | undefined {
    return this.#later?.attributes?.causationId
  }

  get attributes(): Readonly<Record<string, string>> {
    if (!this.#hasEnvelope) return {}
    return { source: this.#publication.context.source, ...this.#later?.attributes?.attributes }
  }

  /** Inside one process nothing is compressed. */
  get bytes(): Uint8Array {
    return this.#encoded()
  }

  get replyTo(): string | undefined {
    return this.#later?.reply
  }

  override get replyTopic(): string | undefined {
    return this.#later?.reply
  }

  /** Its own object already: only the moment is fixed. */
  override retain(): this {
    this.#stamp()
    return this
  }

  /** Made for one request, so the address becomes its own. */
  override withReply(reply: string): this {
    this.#lazy.reply = reply
    delete this.#lazy.bytes
    return this
  }

  override toBytes(): BytesMessage {
    const later = this.#lazy
    if (later.bytes !== undefined) return later.bytes
    const { compressor } = this.#publication.context
    const body = compressor === undefined ? this.#encoded() : this.#compressed(compressor)
    const reply = later.reply === undefined ? NO_BYTES : encoder.encode(later.reply)
    const message = new BytesMessage(this.handle)
    const given = this.headers
    const extra = compressor === undefined ? NO_FIELDS : this.#encodingFields(compressor)
    if (this.#hasEnvelope) {
      const own = toOwnHeaders(this.id, this.#stamp(), later.attributes)
      const fields = given.size + extra.length === 0 ? own : [...own, ...extra, ...given]
      writeMessage(message, reply, this.#publication.opening, fields, body)
    } else if (given.size + extra.length > 0) {
      writeMessage(message, reply, PLAIN_OPENING, [...extra, ...given], body)
    } else if (reply.length === 0 && this.isPlainJson) {
      // The codec's bytes are nobody else's, so that they need no copy.
      message.buffer = body
      message.bodyEnd = body.length
    } else writeMessage(message, reply, NO_BYTES, NO_FIELDS, body)
    return (later.bytes = message)
  }

  /** Fixes the body: what happens to the value afterwards changes nothing. */
  encode(): this {
    this.#encoded()
    return this
  }

  /** A message of the same content, with attributes. */
  withAttributes(attributes: PublishedAttributes | undefined): LiveMessage {
    const message = new LiveMessage(this.#publication, this.input, this.data, attributes)
    message.#lazy.body = this.#encoded()
    return message
  }

  /**
   * Encodes the value now; when compressing it would hold up this thread, does so on the thread pool and resolves when `toBytes`
   * need no longer. Undefined: there is nothing to wait for.
   */
  compressLater(): Promise<void> | undefined {
    const { compressor } = this.#publication.context
    if (compressor === undefined) return undefined
    const body = this.#encoded()
    if (!compressor.isSlow(body.length) || !this.#isCompressible(compressor, body)) return undefined
    return compressor.compressLater(body).then((compressed) => {
      this.#lazy.travelling ??= compressed ?? body
    })
  }

  #encoded(): Uint8Array {
    const later = this.#lazy
    return (later.body ??= encodeBody(this.#publication.codec, this.input))
  }

  #compressed(compressor: Compressor): Uint8Array {
    const body = this.#encoded()
    if (!this.#isCompressible(compressor, body)) return body
    return (this.#lazy.travelling ??= compressor.compress(body) ?? body)
  }

  /** A publisher that says how the body is encoded has encoded it. */
  #isCompressible(compressor: Compressor, body: Uint8Array): boolean {
    return compressor.isWorthwhile(body.length) && this.headers.find(CONTENT_ENCODING) === undefined
  }

  /** Says how the body is compressed, and of a request how its answer may be. */
  #encodingFields({ encoding, accepted }: Compressor): readonly HeaderField[] {
    const { travelling, body, reply } = this.#lazy
    const fields: HeaderField[] = []
    if (travelling !== undefined && travelling !== body) fields.push([CONTENT_ENCODING, encoding])
    if (reply !== undefined) fields.push([ACCEPT_ENCODING, accepted])
    return fields
  }

  /** Its value travels as JSON shows it; what another codec makes of it, only the bytes can tell. */
  get isPlainJson(): boolean {
    return this.#publication.codec === jsonCodec
  }

  /** What travels. */
  get input(): unknown {
    const later = this.#later
    return later !== undefined && 'input' in later ? later.input : this.data
  }

  get #lazy(): Later {
    return (this.#later ??= {})
  }

  /** A plain body for a plain topic, unless there is something that only the envelope can say. */
  get #hasEnvelope(): boolean {
    if (this.definition !== undefined) return true
    const own = this.#later?.attributes
    return (
      own !== undefined && (own.id ?? own.key ?? own.correlationId ?? own.attributes) !== undefined
    )
  }

  #stamp(): number {
    return (this.#lazy.timeMs ??= this.#publication.context.clock.nowMs())
  }
}
