// One subscription on the server, and its end: by the user, or by the server that refuses it.
import type { EngineMessage, Receiver, SubscribeOptions, Subscription } from '../engine/index.js'
import type { NatsSubscription } from './nats-transport.js'

export class ClusterSubscription implements Subscription {
  readonly pattern: string
  readonly group: string | undefined
  readonly receiver: Receiver
  isClosed = false
  readonly #options: SubscribeOptions
  readonly #forget: (subscription: ClusterSubscription) => void
  #nats: NatsSubscription | undefined

  constructor(
    pattern: string,
    options: SubscribeOptions,
    receiver: Receiver,
    forget: (subscription: ClusterSubscription) => void,
  ) {
    this.pattern = pattern
    this.group = options.group
    this.#options = options
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

  /** The server knows no filters: they are asked here. */
  admits(message: EngineMessage): boolean {
    const { filter, when } = this.#options
    return (
      (filter === undefined || filter.matches(filter.view(message))) &&
      (when === undefined || when(message))
    )
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
