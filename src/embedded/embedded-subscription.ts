// One subscription of the embedded engine: what the index holds and what the caller is given.
import type { Receiver, Subscription } from '../engine/index.js'

export class EmbeddedSubscription implements Subscription {
  readonly pattern: string
  readonly group: string | undefined
  readonly receiver: Receiver
  isClosed = false
  /** Messages still to be delivered before it ends by itself; 0: it does not. */
  remaining: number
  readonly #remove: (subscription: EmbeddedSubscription) => void

  constructor(
    pattern: string,
    group: string | undefined,
    receiver: Receiver,
    maxMessages: number,
    remove: (subscription: EmbeddedSubscription) => void,
  ) {
    this.pattern = pattern
    this.group = group
    this.receiver = receiver
    this.remaining = maxMessages
    this.#remove = remove
  }

  unsubscribe(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#remove(this)
  }
}
