// A live subscription read by `for await`: messages wait in the subscription's queue until the loop asks.
import type { Message } from './message.js'

interface Waiting<M> {
  readonly resolve: (result: IteratorResult<M>) => void
  readonly reject: (reason: unknown) => void
}

export class MessageStream<M extends Message> implements AsyncIterableIterator<M>, AsyncDisposable {
  readonly #close: () => Promise<void>
  readonly #signal: AbortSignal | undefined
  /** Lets the handler's call, which holds one message, end. */
  #release: (() => void) | undefined
  #held: M | undefined
  /** Calls of `next` that wait, in their order. */
  #waiting: Waiting<M>[] = []
  #isDone = false

  /** `open` subscribes with the given handler and returns what closes the subscription. */
  constructor(
    open: (handler: (message: M) => Promise<void>) => () => Promise<void>,
    signal: AbortSignal | undefined,
  ) {
    this.#signal = signal
    signal?.throwIfAborted()
    this.#close = open((message) => this.#take(message))
    signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  /** Rejects with the signal's reason when it is aborted. */
  async next(): Promise<IteratorResult<M>> {
    this.#signal?.throwIfAborted()
    if (this.#isDone) return { done: true, value: undefined }
    const held = this.#held
    if (held !== undefined) {
      this.#held = undefined
      this.#release?.()
      return { done: false, value: held }
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async return(): Promise<IteratorResult<M>> {
    this.#finish()
    await this.#close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Ends the loop, for the broker closes: what nobody has asked for is forgotten. */
  end(): void {
    this.#finish()
  }

  /** The handler: keeps its call open until the loop has taken the message, so that the next one waits in the queue. */
  #take(message: M): Promise<void> {
    if (this.#isDone) return Promise.resolve()
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: message })
      return Promise.resolve()
    }
    this.#held = message
    return new Promise((resolve) => (this.#release = resolve))
  }

  readonly #aborted = (): void => {
    for (const { reject } of this.#waiting.splice(0)) reject(this.#signal!.reason)
    this.#finish()
    void this.#close()
  }

  #finish(): void {
    this.#isDone = true
    this.#held = undefined
    this.#release?.()
    this.#signal?.removeEventListener('abort', this.#aborted)
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
  }
}
