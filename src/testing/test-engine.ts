// An engine as a test sees it: passes every call on to the real one, writes down what was published, turns it into bytes on the
// way, and lets the armed faults happen.
import type {
  Capabilities,
  CloseOptions,
  Durable,
  Engine,
  EngineEventListener,
  EngineMessage,
  EngineStatistics,
  PendingRequest,
  PublishOutcome,
  Receiver,
  ReplySink,
  SubscribeOptions,
  Subscription,
} from '../engine/index.js'
import { outcomeOf } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import { TestDurable } from './test-durable.js'
import type { TestEngineParts } from './test-engine-parts.js'

export class TestEngine implements Engine {
  readonly #parts: TestEngineParts
  readonly #engine: Engine
  #durable: TestDurable | undefined
  #activity = 0

  constructor(parts: TestEngineParts) {
    this.#parts = parts
    this.#engine = parts.engine
  }

  /** Grows with every publish and every delivery. */
  get activity(): number {
    return this.#activity
  }

  get capabilities(): Capabilities {
    return this.#engine.capabilities
  }

  get durable(): Durable | undefined {
    return this.#durable
  }

  get isClosed(): boolean {
    return this.#engine.isClosed
  }

  get statistics(): EngineStatistics {
    return this.#engine.statistics
  }

  async openDurable(): Promise<Durable> {
    const durable = await this.#engine.openDurable!()
    return (this.#durable ??= new TestDurable(durable, this.#parts, this.#onWire))
  }

  topicAt(bytes: Uint8Array, from: number, to: number): TopicHandle {
    return this.#engine.topicAt(bytes, from, to)
  }

  topic(name: string): TopicHandle {
    return this.#engine.topic(name)
  }

  publish(address: TopicHandle, message: EngineMessage): PublishOutcome {
    this.#parts.record.add(message)
    const travelling = this.#onWire(message)
    const publish = (): PublishOutcome => this.#engine.publish(address, travelling)
    const fate = this.#parts.faults.ofPublish(address.name)
    switch (fate?.type) {
      case undefined:
      case 'lose-receipt':
      case 'refuse':
        return publish()
      case 'lose':
        return outcomeOf(0, false)
      case 'duplicate':
        publish()
        return publish()
      case 'delay':
        this.#parts.clock.startTimer(fate.durationMs, () => {
          if (!this.isClosed) publish()
        })
        return outcomeOf(0, false)
    }
  }

  subscribe(pattern: string, receiver: Receiver, options?: SubscribeOptions): Subscription {
    const counted: Receiver = {
      deliver: (message, subscription) => {
        this.#activity += 1
        return receiver.deliver(message, subscription)
      },
      ended: (subscription, reason) => receiver.ended?.(subscription, reason),
    }
    return this.#engine.subscribe(pattern, counted, options)
  }

  request(address: TopicHandle, message: EngineMessage, sink: ReplySink): PendingRequest {
    this.#parts.record.add(message)
    const fate = this.#parts.faults.ofPublish(address.name)
    // Nobody gets it, and so nobody answers.
    if (fate?.type === 'lose') return { cancel: () => {} }
    return this.#engine.request(address, this.#onWire(message), sink)
  }

  hasInterest(topic: TopicHandle): boolean | undefined {
    return this.#engine.hasInterest(topic)
  }

  flush(): Promise<void> {
    return this.#engine.flush()
  }

  onEvent(listener: EngineEventListener): void {
    this.#engine.onEvent((event) => {
      this.#activity += 1
      listener(event)
    })
  }

  close(options?: CloseOptions): Promise<void> {
    return this.#engine.close(options)
  }

  readonly #onWire = (message: EngineMessage): EngineMessage => {
    this.#activity += 1
    return this.#parts.roundTrip ? message.toBytes() : message
  }
}
