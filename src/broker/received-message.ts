// A message that came as bytes, or that came in this process but is seen through another definition than its
// publisher's. Everything is decoded when first read. It may be a CloudEvent in binary or in structured mode, or of a publisher
// that knows nothing of either.
import { decodeBody } from '../codec/index.js'
import type { EngineMessage } from '../engine/index.js'
import { decodeHeaderBlock } from '../wire/index.js'
import { readAttribute } from './cloud-event.js'
import type { AnyDefinition, MessageKind } from './definition.js'
import { isFurther, readFurtherAttributes } from './further-attributes.js'
import { nextIdentifier } from './live-message.js'
import type { MessageContext } from './message-context.js'
import { MessageHeaders } from './message-headers.js'
import type { Message } from './message.js'
import { ReceivedBody } from './received-body.js'
import { appliesAt, isPromise, validate, validateNow } from './validation.js'

const KINDS: readonly string[] = ['event', 'command', 'query']
export class ReceivedMessage implements Message {
  readonly topic: string
  readonly replyTo: string | undefined
  readonly bytes: Uint8Array
  protected readonly arrivedAtMs: number
  readonly #definition: AnyDefinition | undefined
  readonly #context: MessageContext
  readonly #headerBlock: Uint8Array
  #headers: MessageHeaders | undefined
  #body: ReceivedBody | undefined
  #id: string | undefined
  #data: unknown
  #isDecoded = false
  #fault: Error | undefined

  /** Takes a message that stays valid (`retain`); `arrivedAtMs` is when a stream accepted it, default now. */
  constructor(
    engineMessage: EngineMessage,
    context: MessageContext,
    definition: AnyDefinition | undefined,
    arrivedAtMs = context.clock.nowMs(),
  ) {
    const message = engineMessage.toBytes()
    this.topic = message.handle.name
    this.replyTo = message.replyTopic
    this.bytes = message.body
    this.arrivedAtMs = arrivedAtMs
    this.#headerBlock = message.headerBlock
    this.#context = context
    this.#definition = definition
  }

  get id(): string {
    return (this.#id ??= this.#attribute('id') ?? this.headers.find('nats-msg-id') ?? this.makeId())
  }

  get type(): string {
    return this.#attribute('type') ?? this.#definition?.type ?? this.topic
  }

  get kind(): MessageKind | undefined {
    const kind = this.#attribute('kind')
    if (kind !== undefined && KINDS.includes(kind)) return kind as MessageKind
    return this.#definition?.kind
  }

  get params(): Readonly<Record<string, string>> {
    return this.#definition?.template.read(this.topic) ?? {}
  }

  get time(): Date {
    const stated = Date.parse(this.#attribute('time') ?? '')
    return new Date(Number.isNaN(stated) ? this.arrivedAtMs : stated)
  }

  get key(): string | undefined {
    return this.#attribute('partitionkey')
  }

  get headers(): MessageHeaders {
    return (this.#headers ??= new MessageHeaders(decodeHeaderBlock(this.#headerBlock).fields))
  }

  get correlationId(): string | undefined {
    return this.#attribute('correlationid')
  }

  get causationId(): string | undefined {
    return this.#attribute('causationid')
  }

  get attributes(): Readonly<Record<string, string>> {
    const event = this.#describedBody?.event ?? null
    if (event === null) return readFurtherAttributes(this.headers)
    const names = event.names.filter(isFurther)
    return Object.fromEntries(names.map((name) => [name, event.attribute(name) ?? '']))
  }

  get data(): unknown {
    if (this.#fault !== undefined) throw this.#fault
    if (!this.#isDecoded) {
      const decoded = this.#decode()
      const advice = 'it is waited for by subscriptions, consumers, responders and read()'
      this.#data = this.#isRefined
        ? validateNow(this.#definition?.schema, decoded, this.topic, advice)
        : decoded
      this.#isDecoded = true
    }
    return this.#data
  }

  /** Why the data is not what its definition says, once it was checked. */
  get fault(): Error | undefined {
    return this.#fault
  }

  /**
   * Sees whether the data is what its definition says; without a definition there is nothing to see. Answers a promise where the
   * schema has to be waited for. Never throws or rejects: see `fault`.
   */
  check(): Promise<void> | undefined {
    if (this.#definition === undefined || this.#isDecoded) return undefined
    try {
      const decoded = this.#decode()
      const data = this.#isRefined
        ? validate(this.#definition.schema, decoded, this.topic)
        : decoded
      if (isPromise(data)) return this.#settle(data)
      this.#data = data
      this.#isDecoded = true
    } catch (error) {
      this.#fault = error as Error
    }
    return undefined
  }

  async #settle(data: Promise<unknown>): Promise<void> {
    try {
      this.#data = await data
      this.#isDecoded = true
    } catch (error) {
      this.#fault = error as Error
    }
  }

  /** The id of a message that has none. */
  protected makeId(): string {
    return nextIdentifier()
  }

  #decode(): unknown {
    const body = this.#describedBody
    if (body !== undefined) return body.decode()
    return decodeBody(this.#definition?.codec ?? this.#context.codecs.preferred, this.bytes)
  }

  #attribute(name: string): string | undefined {
    const event = this.#describedBody?.event ?? null
    return event === null ? readAttribute(this.headers, name) : event.attribute(name)
  }

  /** Undefined where there are no headers that could say anything. */
  get #describedBody(): ReceivedBody | undefined {
    if (this.#headerBlock.length === 0) return undefined
    return (this.#body ??= new ReceivedBody(
      this.#headerBlock,
      this.bytes,
      this.#context,
      this.#definition,
    ))
  }

  get #isRefined(): boolean {
    return appliesAt('receive', this.#definition, this.#context.validation)
  }
}
