// A message that came as bytes, or that came in this process but is seen through another definition than its
// publisher's. Everything is decoded when first read.
import { FanfareError } from '../base/index.js'
import type { EngineMessage } from '../engine/index.js'
import { decodeHeaderBlock } from '../wire/index.js'
import { readAttribute } from './cloud-event.js'
import type { AnyDefinition, MessageKind } from './definition.js'
import { nextIdentifier, type MessageContext } from './live-message.js'
import { MessageHeaders } from './message-headers.js'
import type { Message } from './message.js'
import { describeIssues } from './standard-schema.js'

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
    if (!this.#isDecoded) {
      this.#data = validate(this.#definition, this.#context.codec.decode(this.bytes), this.topic)
      this.#isDecoded = true
    }
    return this.#data
  }
}

/** The schema's output for `value`; the value itself where there is no schema. Throws VALIDATION_FAILED. */
export function validate(
  definition: Pick<AnyDefinition, 'schema'> | undefined,
  value: unknown,
  topic: string,
): unknown {
  const schema = definition?.schema
  if (schema === undefined) return value
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    throw new FanfareError(
      'VALIDATION_FAILED',
      `the schema of ${topic} validates asynchronously, which is not supported`,
      { details: { topic } },
    )
  }
  if (result.issues === undefined) return result.value
  throw new FanfareError('VALIDATION_FAILED', `${topic}: ${describeIssues(result.issues)}`, {
    details: { topic, issues: result.issues },
  })
}
