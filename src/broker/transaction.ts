// A transaction as people fill it: messages that are stored together or not at all.
import { FanfareError } from '../base/index.js'
import type { Consumer, Transaction as EngineTransaction } from '../engine/index.js'
import type { Delivery } from './consume-options.js'
import type { Catalog } from './declared.js'
import type { AnyDefinition } from './definition.js'
import type { DurableHost } from './durable-host.js'
import type { Message } from './message.js'
import type { Receipt } from './durable-publisher.js'
import { assertKind } from './message-kinds.js'
import { toMessage, type Parameterized } from './publications.js'
import { toPublishTerms, type TransactionPublishOptions } from './publish-options.js'
import type { InputOf, OptionsFor, Sendable, Target } from './target.js'
import { assertQueued } from './work-queue.js'

/** `C` is the type of the broker's catalog. */
export interface Transaction<C extends Catalog | undefined = undefined> {
  /**
   * Adds a message; it is stored when the transaction commits. Throws NO_STREAM, VALIDATION_FAILED, ASYNC_SCHEMA, KIND_MISMATCH,
   * TRANSACTION_TOO_LARGE, TRANSACTION_ENDED.
   */
  publish<const T extends Target>(
    target: T & Sendable<T, C, 'publish'>,
    data: InputOf<T, C>,
    ...options: OptionsFor<T, TransactionPublishOptions>
  ): void
}

/** What the handler of a consumer gets beside the message. */
export type TransactionOf<
  D extends Delivery,
  C extends Catalog | undefined = undefined,
> = D extends 'exactly-once' ? Transaction<C> : undefined

const ADVICE =
  "a transaction waits for nothing: validate before it, and give the definition validate: 'receive'"

export class OpenTransaction implements Transaction {
  readonly #host: DurableHost
  readonly #transaction: EngineTransaction
  readonly #cause: Message | undefined
  /** Topics of commands, which need a work queue. */
  readonly #commands = new Set<string>()
  #hasEnded = false

  /** `cause`: the message whose handler fills it. */
  constructor(host: DurableHost, cause?: Message) {
    this.#host = host
    this.#cause = cause
    this.#transaction = host.durable.beginTransaction()
  }

  publish(
    target: AnyDefinition | string,
    data: unknown,
    options?: TransactionPublishOptions & Parameterized,
  ): void {
    if (this.#hasEnded) {
      throw new FanfareError('TRANSACTION_ENDED', 'the transaction was committed or aborted')
    }
    const publication = this.#host.publicationOf(target, options)
    assertKind('publish', publication.definition)
    const terms = toPublishTerms(options, this.#host.clock, 'tx.publish')
    const message = toMessage(
      publication,
      data,
      { cause: this.#cause, ...terms.attributes },
      ADVICE,
    )
    if (publication.definition?.kind === 'command') this.#commands.add(publication.topic.name)
    this.#transaction.publish(publication.topic, message, terms.append)
  }

  /** Settles a hand-out together with the messages. */
  acknowledge(consumer: Consumer, token: number): void {
    this.#transaction.acknowledge(consumer, token)
  }

  /** Resolves with the receipts in the order of the `publish` calls; rejects when nothing of it was stored. */
  async commit(): Promise<Receipt[]> {
    this.#hasEnded = true
    try {
      for (const topic of this.#commands) await assertQueued(this.#host.durable, topic)
    } catch (error) {
      this.#transaction.abort()
      throw error
    }
    return this.#commit()
  }

  #commit(): Promise<Receipt[]> {
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
