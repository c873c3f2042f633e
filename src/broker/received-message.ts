// A message that came as bytes, or that came in this process but is seen through another definition than its
// publisher's. Everything is decoded when first read.
import type { EngineMessage } from '../engine/index.js'
import { decodeHeaderBlock } from '../wire/index.js'
import { readAttribute } from './cloud-event.js'
import type { AnyDefinition, MessageKind } from './definition.js'
import { nextIdentifier, type MessageContext } from './live-message.js'
import { MessageHeaders } from './message-headers.js'
import type { Message } from './message.js'
import { appliesAt, isPromise, validate, validateNow } from './validation.js'

const KINDS: readonly string[] = ['event', 'command', 'query']

export class ReceivedMessage implements Message {
  readonly topic: string
  readonly replyTo: string | undefined
  readonly bytes: Uint8Array
  readonly #definition: AnyDefinition | undefined
  readonly #context: MessageContext
  readonly #headerBlock: Uint8Array
  readonly #arrivedAtMs: number
  #headers: MessageHeaders | undefined
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
    this.#headerBlock = message.headerBlock
    this.#context = context
    this.#definition = definition
    this.#arrivedAtMs = arrivedAtMs
  }

  get id(): string {
    return (this.#id ??= readAttribute(this.headers, 'id') ?? nextIdentifier())
  }

  get type(): string {
    return readAttribute(this.headers, 'type') ?? this.#definition?.type ?? this.topic
  }

  get kind(): MessageKind | undefined {
    const kind = readAttribute(this.headers, 'kind')
    if (kind !== undefined && KINDS.includes(kind)) return kind as MessageKind
    return this.#definition?.kind
  }

  get params(): Readonly<Record<string, string>> {
    return this.#definition?.template.read(this.topic) ?? {}
  }

  get time(): Date {
    const stated = Date.parse(readAttribute(this.headers, 'time') ?? '')
    return new Date(Number.isNaN(stated) ? this.#arrivedAtMs : stated)
  }

  get key(): string | undefined {
    return readAttribute(this.headers, 'partitionkey')
  }

  get headers(): MessageHeaders {
    return (this.#headers ??= new MessageHeaders(decodeHeaderBlock(this.#headerBlock).fields))
  }

  get data(): unknown {
    if (this.#fault !== undefined) throw this.#fault
    if (!this.#isDecoded) {
      const decoded = this.#context.codec.decode(this.bytes)
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
      const decoded = this.#context.codec.decode(this.bytes)
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

  get #isRefined(): boolean {
    return appliesAt('receive', this.#definition, this.#context.validation)
  }
}
