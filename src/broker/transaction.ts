// A transaction as people fill it: messages that are stored together or not at all.
import { FanfareError } from '../base/index.js'
import type { Consumer, Transaction as EngineTransaction } from '../engine/index.js'
import type { Delivery } from './consume-options.js'
import type { CommandDefinition, EventDefinition } from './definition.js'
import type { DurableHost } from './durable-host.js'
import type { Message } from './message.js'
import type { Receipt } from './durable-publisher.js'
import { toMessage, type Parameterized } from './publications.js'
import { toPublishTerms, type TransactionPublishOptions } from './publish-options.js'
import type { InputOf, OptionsFor } from './target.js'

export interface Transaction {
  /**
   * Adds a message; it is stored when the transaction commits. Throws NO_STREAM, VALIDATION_FAILED, TRANSACTION_TOO_LARGE,
   * TRANSACTION_ENDED.
   */
  publish<T extends EventDefinition | CommandDefinition | string>(
    target: T,
    data: InputOf<T>,
    ...options: OptionsFor<T, TransactionPublishOptions>
  ): void
}

/** What the handler of a consumer gets beside the message. */
export type TransactionOf<D extends Delivery> = D extends 'exactly-once' ? Transaction : undefined

export class OpenTransaction implements Transaction {
  readonly #host: DurableHost
  readonly #transaction: EngineTransaction
  readonly #cause: Message | undefined
  #hasEnded = false

  /** `cause`: the message whose handler fills it. */
  constructor(host: DurableHost, cause?: Message) {
    this.#host = host
    this.#cause = cause
    this.#transaction = host.durable.beginTransaction()
  }

  publish<T extends EventDefinition | CommandDefinition | string>(
    target: T,
    data: InputOf<T>,
    ...[options]: OptionsFor<T, TransactionPublishOptions>
  ): void {
    if (this.#hasEnded) {
      throw new FanfareError('TRANSACTION_ENDED', 'the transaction was committed or aborted')
    }
    const given = options as (TransactionPublishOptions & Parameterized) | undefined
    const publication = this.#host.publicationOf(target, given)
    const terms = toPublishTerms(given, this.#host.clock, 'tx.publish')
    const message = toMessage(publication, data, { cause: this.#cause, ...terms.attributes })
    this.#transaction.publish(publication.topic, message, terms.append)
  }

  /** Settles a hand-out together with the messages. */
  acknowledge(consumer: Consumer, token: number): void {
    this.#transaction.acknowledge(consumer, token)
  }

  /** Resolves with the receipts in the order of the `publish` calls; rejects when nothing of it was stored. */
  commit(): Promise<Receipt[]> {
    this.#hasEnded = true
    return new Promise((resolve, reject) => {
      this.#transaction.commit((error, receipts) => {
        if (error !== undefined) return reject(error)
        resolve(
          receipts.map(({ stream, sequence, isDuplicate }) => ({
            stream: stream.name,
            sequence,
            isDuplicate,
            durability: stream.settings.durability,
          })),
        )
      })
    })
  }

  abort(): void {
    this.#hasEnded = true
    this.#transaction.abort()
  }
}
