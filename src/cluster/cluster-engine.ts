// The engine on a NATS server, through the official client: the server does the fan-out, this translates. Live messaging
// only, so far; the durable half of the contract follows with streams.
import { FanfareError, IdentifierSource, systemClock, type Clock } from '../base/index.js'
import { RequestInbox } from '../delivery/index.js'
import {
  BytesMessage,
  EventListeners,
  outcomeUnknown,
  type Capabilities,
  type CloseOptions,
  type Engine,
  type EngineEventListener,
  type EngineMessage,
  type EngineStatistics,
  type PendingRequest,
  type PublishOutcome,
  type Receiver,
  type ReplySink,
  type SubscribeOptions,
  type Subscription,
} from '../engine/index.js'
import { TopicTable, type TopicHandle } from '../topic/index.js'
import { decodeHeaderBlock, encodeHeaderBlock } from '../wire/index.js'
import { ClusterSubscription } from './cluster-subscription.js'
import type { NatsConnection, NatsHeaders, NatsMessage, NatsTransport } from './nats-transport.js'

const DEFAULT_DRAIN_MS = 30_000
/** What a server takes that has not said: NATS's default. */
const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

export class ClusterEngine implements Engine {
  readonly durable = undefined
  readonly #connection: NatsConnection
  readonly #transport: NatsTransport
  readonly #clock: Clock
  readonly #topics = new TopicTable<never>()
  readonly #inbox: RequestInbox
  readonly #listeners = new EventListeners()
  readonly #subscriptions = new Set<ClusterSubscription>()
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(connection: NatsConnection, transport: NatsTransport, clock: Clock = systemClock) {
    this.#clock = clock
    this.#connection = connection
    this.#transport = transport
    this.#inbox = new RequestInbox(this, new IdentifierSource())
    void this.#watchStatus()
    void connection.closed().then((error) => this.#ended(error))
  }

  get capabilities(): Capabilities {
    return {
      engine: 'cluster',
      inProcess: false,
      countsReceivers: false,
      knowsInterest: false,
      filtersGroups: false,
      maxPayloadBytes: this.#connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD_BYTES,
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  topicAt(bytes: Uint8Array, from: number, to: number): TopicHandle {
    return this.#topics.atBytes(bytes, from, to)
  }

  topic(name: string): TopicHandle {
    return this.#topics.atName(name)
  }

  publish(address: TopicHandle, engineMessage: EngineMessage): PublishOutcome {
    this.#assertOpen()
    const message = engineMessage.toBytes()
    const sizeBytes = message.headerBytes + message.bodyBytes
    const { maxPayloadBytes } = this.capabilities
    if (sizeBytes > maxPayloadBytes) {
      throw new FanfareError(
        'PAYLOAD_TOO_LARGE',
        `${address.name}: ${sizeBytes} bytes, and the server takes ${maxPayloadBytes}`,
        { details: { topic: address.name, sizeBytes, maxPayloadBytes } },
      )
    }
    const reply = message.replyTopic
    this.#connection.publish(address.name, message.body, {
      ...(reply === undefined ? {} : { reply }),
      ...(message.headerBytes === 0 ? {} : { headers: this.#toNatsHeaders(message.headerBlock) }),
    })
    return outcomeUnknown
  }

  subscribe(pattern: string, receiver: Receiver, options: SubscribeOptions = {}): Subscription {
    this.#assertOpen()
    const subscription = new ClusterSubscription(pattern, options, receiver, (ended) =>
      this.#subscriptions.delete(ended),
    )
    this.#subscriptions.add(subscription)
    const natsSubscription = this.#connection.subscribe(pattern, {
      ...(options.group === undefined ? {} : { queue: options.group }),
      ...(options.maxMessages === undefined ? {} : { max: options.maxMessages }),
      callback: (error, message) => {
        if (error === null) this.#deliver(subscription, message)
        else subscription.end(error)
      },
    })
    subscription.attach(natsSubscription)
    return subscription
  }

  request(address: TopicHandle, message: EngineMessage, sink: ReplySink): PendingRequest {
    return this.#inbox.request(address, message, sink)
  }

  get statistics(): EngineStatistics {
    return { subscriptions: this.#subscriptions.size, cachedTopics: this.#topics.size }
  }

  hasInterest(): undefined {
    return undefined
  }

  async flush(): Promise<void> {
    this.#assertOpen()
    try {
      await this.#connection.flush()
    } catch (error) {
      throw toEngineError(error as Error)
    }
  }

  onEvent(listener: EngineEventListener): void {
    this.#listeners.add(listener)
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? DEFAULT_DRAIN_MS)
    return this.#closing
  }

  async #close(drainMs: number): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.close()
    await this.#drainWithin(drainMs)
    if (!this.#connection.isClosed()) await this.#connection.close()
  }

  /** Draining waits for the server, which may be gone. */
  #drainWithin(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.startTimer(limitMs, resolve, { keepsProcessAlive: true })
      const finish = (): void => {
        timer.cancel()
        resolve()
      }
      this.#connection.drain().then(finish, finish)
    })
  }

  #deliver(subscription: ClusterSubscription, message: NatsMessage): void {
    if (subscription.isClosed) return
    const delivered = new BytesMessage(this.#topics.atName(message.subject))
    delivered.setParts(
      message.reply === undefined ? NOTHING : encoder.encode(message.reply),
      message.headers === undefined ? NOTHING : toHeaderBlock(message.headers),
      message.data,
    )
    try {
      if (!subscription.admits(delivered)) return
      subscription.receiver.deliver(delivered, subscription)
    } catch (error) {
      this.#listeners.report({ type: 'receiver-failed', pattern: subscription.pattern, error })
    }
  }

  #toNatsHeaders(block: Uint8Array): NatsHeaders {
    const headers = this.#transport.headers()
    for (const [name, value] of decodeHeaderBlock(block).fields) headers.append(name, value)
    return headers
  }

  async #watchStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      const url = status.server ?? this.#connection.getServer()
      if (status.type === 'disconnect') this.#listeners.report({ type: 'disconnected', url })
      else if (status.type === 'reconnecting') this.#listeners.report({ type: 'reconnecting' })
      else if (status.type === 'reconnect') this.#listeners.report({ type: 'connected', url })
      else if (status.type === 'error' && status.error !== undefined) {
        this.#listeners.report({ type: 'engine-error', error: toEngineError(status.error) })
      }
    }
  }

  #ended(error: void | Error): void {
    this.#isClosed = true
    this.#listeners.report(
      error instanceof Error ? { type: 'closed', error: toEngineError(error) } : { type: 'closed' },
    )
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FanfareError('CLOSED', 'the connection is closed')
  }
}

function toHeaderBlock(headers: NatsHeaders): Uint8Array {
  const fields: [string, string][] = []
  for (const [name, values] of headers) for (const value of values) fields.push([name, value])
  const block = encodeHeaderBlock(fields)
  if (headers.code === 0) return block
  // The status stands in the first line, before the fields.
  const text = new TextDecoder().decode(block)
  return encoder.encode(text.replace('NATS/1.0', `NATS/1.0 ${headers.code}`))
}

function toEngineError(error: Error): FanfareError {
  const isDenied = /permission|authoriz/i.test(`${error.name} ${error.message}`)
  return new FanfareError(isDenied ? 'PERMISSION_DENIED' : 'CONNECTION_FAILED', error.message, {
    cause: error,
  })
}
