// One subscription on the server, and its end: by the user, or by the server that refuses it.
import type { Receiver, Subscription } from '../engine/index.js'
import type { NatsSubscription } from './nats-transport.js'

export class ClusterSubscription implements Subscription {
  readonly pattern: string
  readonly group: string | undefined
  readonly receiver: Receiver
  isClosed = false
  readonly #forget: (subscription: ClusterSubscription) => void
  #nats: NatsSubscription | undefined

  constructor(
    pattern: string,
    group: string | undefined,
    receiver: Receiver,
    forget: (subscription: ClusterSubscription) => void,
  ) {
    this.pattern = pattern
    this.group = group
    this.receiver = receiver
    this.#forget = forget
  }

  attach(subscription: NatsSubscription): void {
    this.#nats = subscription
    void subscription.closed.then((error) => {
      if (error instanceof Error) this.end(error)
      else this.#close()
    })
  }

  unsubscribe(): void {
    if (this.isClosed) return
    this.#close()
    this.#nats?.unsubscribe()
  }

  /** The server ended it. */
  end(reason: Error): void {
    if (this.isClosed) return
    this.#close()
    this.receiver.ended?.(this, reason)
  }

  #close(): void {
    this.isClosed = true
    this.#forget(this)
  }
}
