// Publishes that cannot go at once, as the durable half is still being loaded or their bodies are compressed on the thread pool.
// Whatever is published behind them waits as well, so that a publisher's messages keep their order.
import { FanfareError } from '../base/index.js'
import type { AppendOptions } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { Receipt, ReceiptTerms } from './durable-publisher.js'
import type { DurableVerbs } from './durable-verbs.js'
import type { LiveMessage } from './live-message.js'

/** Publishes that may wait here. */
const MOST_WAITING = 100_000

export class PublishQueue {
  readonly #load: () => Promise<DurableVerbs>
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(load: () => Promise<DurableVerbs>) {
    this.#load = load
  }

  /** `verbs`: undefined while they are not loaded. Throws for wrong terms; what the engine refuses rejects. */
  publish(
    verbs: DurableVerbs | undefined,
    topic: TopicHandle,
    message: LiveMessage,
    append: AppendOptions | undefined,
    terms: ReceiptTerms | undefined,
  ): Promise<Receipt> {
    const compressed = message.compressLater()
    if (verbs !== undefined && compressed === undefined && this.#waiting === 0) {
      return verbs.publish(topic, message, append, terms)
    }
    terms?.signal?.throwIfAborted()
    if (this.#waiting >= MOST_WAITING) {
      throw new FanfareError(
        'QUEUE_OVERFLOW',
        `${MOST_WAITING} publishes wait to be compressed; await them before publishing more`,
        { retryable: true, details: { topic: topic.name } },
      )
    }
    // Encoded now: what the caller does with the data afterwards changes nothing.
    if (compressed === undefined) message.toBytes()
    return this.#sendInTurn(compressed, (loaded) => loaded.publish(topic, message, append, terms))
  }

  /** Resolves when what waits now has been handed on. */
  async whenSent(): Promise<void> {
    await this.#last
  }

  /** `ready` is waited for, and everything that was published before. */
  async #sendInTurn(
    ready: Promise<void> | undefined,
    send: (verbs: DurableVerbs) => Promise<Receipt>,
  ): Promise<Receipt> {
    const before = this.#last
    const turn = Promise.all([this.#load(), ready, before])
    // Also where one of them fails, those behind wait for those before.
    this.#last = Promise.allSettled([turn, before])
    this.#waiting += 1
    try {
      const [verbs] = await turn
      return send(verbs)
    } finally {
      this.#waiting -= 1
    }
  }
}
