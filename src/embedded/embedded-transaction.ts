// A transaction of the embedded engine: buffered, checked as a whole, then accepted as one unit of the store.
import { FanfareError } from '../base/index.js'
import type {
  AppendOptions,
  BytesMessage,
  Consumer,
  EngineMessage,
  Transaction,
  TransactionDone,
  TransactionReceipt,
} from '../engine/index.js'
import type { LogStore } from '../log/index.js'
import type { TopicHandle } from '../topic/index.js'
import { EmbeddedConsumer } from './embedded-consumer.js'
import type { EmbeddedStream } from './embedded-stream.js'

const MOST_MESSAGES = 10_000
const MOST_BYTES = 64 * 1024 * 1024

/** What a transaction needs of its engine. */
export interface TransactionPlace {
  readonly store: LogStore
  streamOf(address: TopicHandle): EmbeddedStream | undefined
  /** Delivers to live receivers. */
  deliver(address: TopicHandle, message: EngineMessage): void
}

interface Part {
  readonly stream: EmbeddedStream
  readonly address: TopicHandle
  readonly message: BytesMessage
  readonly options: AppendOptions
}

/** What of the transaction goes to one stream before the message that is looked at. */
interface PartsAhead {
  messages: number
  bytes: number
  readonly tails: Map<TopicHandle, number>
}

interface Settlement {
  readonly consumer: EmbeddedConsumer
  readonly token: number
}

export class EmbeddedTransaction implements Transaction {
  readonly #place: TransactionPlace
  readonly #parts: Part[] = []
  readonly #settlements: Settlement[] = []
  #bytes = 0
  #hasEnded = false

  constructor(place: TransactionPlace) {
    this.#place = place
  }

  publish(address: TopicHandle, message: EngineMessage, options: AppendOptions = {}): void {
    this.#assertOpen()
    const stream = this.#place.streamOf(address)
    if (stream === undefined) throw noStreamError(address.name)
    const bytes = message.retain().toBytes()
    this.#bytes += bytes.headerBytes + bytes.bodyBytes
    if (this.#parts.length >= MOST_MESSAGES || this.#bytes > MOST_BYTES) {
      throw new FanfareError(
        'TRANSACTION_TOO_LARGE',
        `a transaction takes at most ${MOST_MESSAGES} messages and ${MOST_BYTES} bytes`,
        { details: { messages: this.#parts.length + 1, bytes: this.#bytes } },
      )
    }
    this.#parts.push({ stream, address, message: bytes, options })
  }

  acknowledge(consumer: Consumer, token: number): void {
    this.#assertOpen()
    if (!(consumer instanceof EmbeddedConsumer)) {
      throw new FanfareError('OPTION_INVALID', 'the consumer belongs to another engine')
    }
    this.#settlements.push({ consumer, token })
  }

  commit(done: TransactionDone): void {
    this.#assertOpen()
    this.#hasEnded = true
    const refusal = this.#findRefusal()
    if (refusal !== undefined) {
      done(refusal, [])
      return
    }
    const { store } = this.#place
    store.beginUnit()
    const receipts = this.#parts.map((part) => accept(part))
    const revivals = this.#settlements.map(({ consumer, token }) =>
      consumer.acknowledgeInUnit(token),
    )
    store.endUnit((error) => {
      if (error !== undefined) for (const revive of revivals) revive()
      done(error, error === undefined ? receipts : [])
    })
    this.#parts.forEach(({ address, message }, i) => {
      if (!receipts[i]!.isDuplicate) this.#place.deliver(address, message)
    })
  }

  abort(): void {
    this.#hasEnded = true
    this.#parts.length = 0
    this.#settlements.length = 0
  }

  #findRefusal(): FanfareError | undefined {
    for (const { consumer, token } of this.#settlements) {
      if (consumer.isInFlight(token)) continue
      return new FanfareError(
        'TOKEN_STALE',
        `hand-out ${token} of consumer ${consumer.name} is over, so the transaction is refused`,
        { details: { consumer: consumer.name, token } },
      )
    }
    return this.#findRefusedPart() ?? this.#findMixedDurability()
  }

  /** Each message is looked at as if those before it had been appended. */
  #findRefusedPart(): FanfareError | undefined {
    const aheadOf = new Map<EmbeddedStream, PartsAhead>()
    const ids = new Set<string>()
    for (const { stream, address, message, options } of this.#parts) {
      const id = options.id === undefined ? undefined : `${stream.name} ${options.id}`
      if (id !== undefined && ids.has(id)) continue
      if (id !== undefined) ids.add(id)
      if (stream.findDuplicate(options) !== undefined) continue
      const ahead = aheadOf.get(stream) ?? { messages: 0, bytes: 0, tails: new Map() }
      aheadOf.set(stream, ahead)
      const refusal = stream.findRefusal(address, message, options, ahead)
      if (refusal !== undefined) return refusal
      ahead.messages += 1
      ahead.bytes += address.bytes.length + message.headerBytes + message.bodyBytes
      ahead.tails.set(address, stream.log.acceptedSequence + ahead.messages)
    }
    return undefined
  }

  /** What lives in memory only cannot be committed together with what is on the disk. */
  #findMixedDurability(): FanfareError | undefined {
    const inMemory = this.#parts.find(({ stream }) => stream.settings.durability === 'memory')
    const onDisk =
      this.#parts.some(({ stream }) => stream.settings.durability !== 'memory') ||
      this.#settlements.some(({ consumer }) => consumer.isPersistent)
    if (inMemory === undefined || !onDisk) return undefined
    return new FanfareError(
      'DURABILITY_MISMATCH',
      `stream ${inMemory.stream.name} lives in memory and cannot be part of a durable transaction`,
      { details: { stream: inMemory.stream.name } },
    )
  }

  #assertOpen(): void {
    if (!this.#hasEnded) return
    throw new FanfareError('TRANSACTION_ENDED', 'the transaction was committed or aborted')
  }
}

function accept({ stream, address, message, options }: Part): TransactionReceipt {
  const original = stream.findDuplicate(options)
  if (original !== undefined) return { stream, sequence: original, isDuplicate: true }
  return { stream, sequence: stream.write(address, message, options), isDuplicate: false }
}

export function noStreamError(topic: string): FanfareError {
  return new FanfareError(
    'NO_STREAM',
    `no stream captures ${topic}; make one: await broker.stream('name', { topics: ['${topic}'] })`,
    { details: { topic } },
  )
}
