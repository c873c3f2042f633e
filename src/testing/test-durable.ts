// The durable half as a test sees it: what is published is written down, and publishes and acknowledgements meet the armed faults.
import type {
  AppendOptions,
  Consumer,
  DeadLetters,
  Durable,
  EngineMessage,
  PublishOutcome,
  ReceiptSink,
  Stream,
  StreamSettings,
  Transaction,
  TransactionDone,
} from '../engine/index.js'
import { outcomeOf } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import { TestConsumer } from './test-consumer.js'
import type { TestEngineParts } from './test-engine-parts.js'
import { TestStream } from './test-stream.js'

type OnWire = (message: EngineMessage) => EngineMessage

/** For publishes whose receipt nobody is to see. */
const NOBODY: ReceiptSink = { committed: () => {}, duplicate: () => {}, refused: () => {} }

export class TestDurable implements Durable {
  readonly #durable: Durable
  readonly #parts: TestEngineParts
  readonly #onWire: OnWire

  constructor(durable: Durable, parts: TestEngineParts, onWire: OnWire) {
    this.#durable = durable
    this.#parts = parts
    this.#onWire = onWire
  }

  get strongest(): StreamSettings['durability'] {
    return this.#durable.strongest
  }

  async createStream(settings: StreamSettings): Promise<Stream> {
    return this.#wrap(await this.#durable.createStream(settings))
  }

  async updateStream(settings: StreamSettings): Promise<Stream> {
    return this.#wrap(await this.#durable.updateStream(settings))
  }

  async findStream(name: string): Promise<Stream | undefined> {
    const stream = await this.#durable.findStream(name)
    return stream === undefined ? undefined : this.#wrap(stream)
  }

  async streams(): Promise<readonly Stream[]> {
    return (await this.#durable.streams()).map((stream) => this.#wrap(stream))
  }

  deleteStream(name: string): Promise<boolean> {
    return this.#durable.deleteStream(name)
  }

  publish(
    address: TopicHandle,
    message: EngineMessage,
    sink: ReceiptSink,
    token: number,
    options?: AppendOptions,
  ): PublishOutcome {
    this.#parts.record.add(message)
    const travelling = this.#onWire(message)
    const publish = (to: ReceiptSink): PublishOutcome =>
      this.#durable.publish(address, travelling, to, token, options)
    const fate = this.#parts.faults.ofPublish(address.name)
    switch (fate?.type) {
      case undefined:
        return publish(sink)
      case 'lose-receipt':
        return publish(NOBODY)
      case 'duplicate':
        publish(NOBODY)
        return publish(sink)
      case 'lose':
        return outcomeOf(0, false)
      case 'refuse':
        sink.refused(token, 1, fate.error)
        return outcomeOf(0, false)
      case 'delay':
        this.#parts.clock.startTimer(fate.durationMs, () => publish(sink))
        return outcomeOf(0, false)
    }
  }

  beginTransaction(): Transaction {
    return new TestTransaction(this.#durable.beginTransaction(), this.#parts, this.#onWire)
  }

  deadLetters(stream: Stream): DeadLetters {
    return this.#durable.deadLetters(TestStream.real(stream))
  }

  #wrap(stream: Stream): Stream {
    return new TestStream(stream, this.#parts.faults)
  }
}

/** What it publishes is written down when it has been committed. */
class TestTransaction implements Transaction {
  readonly #transaction: Transaction
  readonly #parts: TestEngineParts
  readonly #onWire: OnWire
  readonly #published: EngineMessage[] = []

  constructor(transaction: Transaction, parts: TestEngineParts, onWire: OnWire) {
    this.#transaction = transaction
    this.#parts = parts
    this.#onWire = onWire
  }

  publish(address: TopicHandle, message: EngineMessage, options?: AppendOptions): void {
    const travelling = this.#onWire(message)
    this.#transaction.publish(address, travelling, options)
    this.#published.push(travelling.retain())
  }

  acknowledge(consumer: Consumer, token: number): void {
    this.#transaction.acknowledge(TestConsumer.real(consumer), token)
  }

  commit(done: TransactionDone): void {
    this.#transaction.commit((error, receipts) => {
      if (error === undefined) {
        for (const message of this.#published) this.#parts.record.add(message)
      }
      done(error, receipts)
    })
  }

  abort(): void {
    this.#transaction.abort()
  }
}
