// One subscription's way from delivery to its handler: an idle handler is called at once; while as many calls are under way
// as `concurrency` allows, messages wait in a bounded queue, first in, first out; a full queue does what the policy says.
//
//   drop-oldest   the message that waited longest makes room
//   drop-newest   the new message is dropped
//   reject        the new message is refused, and its publisher's side told so
//   wait          publishers are told to wait (see `whenRoom`); those that do not are refused at twice the capacity
import { BoundedQueue } from '../base/index.js'

export type OverflowPolicy = 'wait' | 'reject' | 'drop-oldest' | 'drop-newest'

/** What became of a message that was offered. */
export type Admission =
  'running' | 'queued' | 'queued-over-mark' | 'dropped-oldest' | 'dropped-newest' | 'rejected'

export interface HandlerLaneOptions {
  readonly concurrency: number
  /** Messages that may wait. */
  readonly capacity: number
  readonly overflow: OverflowPolicy
}

/** How far publishers that never wait may overfill a queue whose policy is 'wait'. */
const WAIT_OVERFILL = 2

export class HandlerLane<T> {
  readonly #options: HandlerLaneOptions
  readonly #call: (item: T) => unknown
  readonly #failed: (error: unknown, item: T) => void
  readonly #queue: BoundedQueue<T>
  readonly #roomWaiters: (() => void)[] = []
  readonly #idleWaiters: (() => void)[] = []
  #running = 0
  #isStarting = false
  #isStopped = false

  constructor(
    options: HandlerLaneOptions,
    call: (item: T) => unknown,
    failed: (error: unknown, item: T) => void,
  ) {
    this.#options = options
    this.#call = call
    this.#failed = failed
    const overfill = options.overflow === 'wait' ? WAIT_OVERFILL : 1
    this.#queue = new BoundedQueue<T>(options.capacity * overfill)
  }

  get queued(): number {
    return this.#queue.size
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#queue.size === 0
  }

  /** Whether a message offered now would be handed to the handler within the call. */
  get runsAtOnce(): boolean {
    return this.#running < this.#options.concurrency && this.#queue.size === 0
  }

  /** Whether awaiting publishers should wait. */
  get isFull(): boolean {
    return this.#queue.size >= this.#options.capacity
  }

  offer(item: T): Admission {
    if (this.runsAtOnce) {
      this.#run(item)
      return 'running'
    }
    if (this.#queue.push(item)) {
      return this.#options.overflow === 'wait' && this.isFull ? 'queued-over-mark' : 'queued'
    }
    switch (this.#options.overflow) {
      case 'drop-oldest':
        this.#queue.shift()
        this.#queue.push(item)
        return 'dropped-oldest'
      case 'drop-newest':
        return 'dropped-newest'
      case 'reject':
      case 'wait':
        return 'rejected'
    }
  }

  /** Resolves when an awaiting publisher may go on. */
  whenRoom(): Promise<void> {
    if (!this.isFull || this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
  }

  /** Resolves when nothing waits and no call is under way. */
  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Forgets what waits; calls under way finish. */
  stop(): void {
    this.#isStopped = true
    this.#queue.clear()
    this.#wake()
  }

  #run(item: T): void {
    this.#running += 1
    let outcome: unknown
    try {
      outcome = this.#call(item)
    } catch (error) {
      this.#settle()
      this.#failed(error, item)
      return
    }
    if (!isThenable(outcome)) {
      this.#settle()
      return
    }
    outcome.then(
      () => this.#finished(),
      (error: unknown) => {
        this.#failed(error, item)
        this.#finished()
      },
    )
  }

  #settle(): void {
    this.#running -= 1
    // The handler may have offered to its own lane.
    if (this.#queue.size > 0) this.#startWaiting()
    if (this.#idleWaiters.length > 0) this.#wake()
  }

  /** An asynchronous call has ended. */
  #finished(): void {
    this.#running -= 1
    this.#startWaiting()
    this.#wake()
  }

  /** Starts what waits as far as concurrency allows; a loop and not a recursion, however short the calls are. */
  #startWaiting(): void {
    if (this.#isStarting) return
    this.#isStarting = true
    while (this.#running < this.#options.concurrency) {
      const item = this.#queue.shift()
      if (item === undefined) break
      this.#run(item)
    }
    this.#isStarting = false
  }

  #wake(): void {
    if (!this.isFull || this.#isStopped) for (const resume of this.#roomWaiters.splice(0)) resume()
    if (this.isIdle) for (const resume of this.#idleWaiters.splice(0)) resume()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
