// One subscription of the embedded engine: what the index holds and what the caller is given.
import type { Receiver, SubscribeOptions, Subscription } from '../engine/index.js'

export class EmbeddedSubscription implements Subscription {
  readonly pattern: string
  readonly group: string | undefined
  readonly receiver: Receiver
  isClosed = false
  /** Messages still to be delivered before it ends by itself; 0: it does not. */
  remaining: number
  /** Whether it takes some messages only. */
  readonly isFiltering: boolean
  readonly options: SubscribeOptions
  readonly #remove: (subscription: EmbeddedSubscription) => void

  constructor(
    pattern: string,
    receiver: Receiver,
    options: SubscribeOptions,
    remove: (subscription: EmbeddedSubscription) => void,
  ) {
    this.pattern = pattern
    this.group = options.group
    this.receiver = receiver
    this.remaining = options.maxMessages ?? 0
    this.isFiltering = options.filter !== undefined || options.when !== undefined
    this.options = options
    this.#remove = remove
  }

  unsubscribe(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#remove(this)
  }
}
