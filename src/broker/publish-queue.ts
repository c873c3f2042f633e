// Publishes whose bodies are compressed on the thread pool, and whatever is published behind them: a publisher's messages keep
// their order.
import { FanfareError } from '../base/index.js'
import type { AppendOptions } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { DurablePublisher, Receipt, ReceiptTerms } from './durable-publisher.js'
import type { LiveMessage } from './live-message.js'

/** Publishes that may wait here. */
const MOST_WAITING = 100_000

export class PublishQueue {
  readonly #publisher: DurablePublisher
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(publisher: DurablePublisher) {
    this.#publisher = publisher
  }

  /** Throws for wrong terms; what the engine refuses rejects. */
  publish(
    topic: TopicHandle,
    message: LiveMessage,
    append: AppendOptions | undefined,
    terms: ReceiptTerms | undefined,
  ): Promise<Receipt> {
    const compressed = message.compressLater()
    if (compressed === undefined && this.#waiting === 0) {
      return this.#publisher.publish(topic, message, append, terms)
    }
    terms?.signal?.throwIfAborted()
    if (this.#waiting >= MOST_WAITING) {
      throw new FanfareError(
        'QUEUE_OVERFLOW',
        `${MOST_WAITING} publishes wait to be compressed; await them before publishing more`,
        { retryable: true, details: { topic: topic.name } },
      )
    }
    message.encode()
    return this.#sendInTurn(compressed, () =>
      this.#publisher.publish(topic, message, append, terms),
    )
  }

  /** Resolves when what waits now has been handed on. */
  async whenSent(): Promise<void> {
    await this.#last
  }

  async #sendInTurn(
    compressed: Promise<void> | undefined,
    send: () => Promise<Receipt>,
  ): Promise<Receipt> {
    const before = this.#last
    const turn = Promise.all([compressed, before])
    // Also where compressing fails, those behind wait for those before.
    this.#last = Promise.allSettled([turn, before])
    this.#waiting += 1
    try {
      await turn
    } finally {
      this.#waiting -= 1
    }
    return send()
  }
}
