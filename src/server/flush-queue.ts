// Which outboxes have something to send. Everything that one chunk of input causes is written before it is sent, so that
// each connection costs one system call per chunk and not one per message.
import type { Clock } from '../base/index.js'
import { SharedFrame } from './shared-frame.js'

export interface Flushable {
  /** Hands what is written to the connection. */
  flush(): void
}

export class FlushQueue {
  /** The frame that outboxes of this queue may share. */
  readonly sharedFrame = new SharedFrame()
  readonly #clock: Clock
  readonly #waiting: Flushable[] = []
  #turns = 0
  #isDeferred = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `work`; what it adds is flushed when it returns. */
  turn(work: () => void): void {
    this.#turns += 1
    try {
      work()
    } finally {
      this.#turns -= 1
      if (this.#turns === 0) this.flushAll()
    }
  }

  /** Adds an outbox, once until it is flushed. Outside a turn it is flushed soon. */
  add(outbox: Flushable): void {
    this.#waiting.push(outbox)
    if (this.#turns > 0 || this.#isDeferred) return
    this.#isDeferred = true
    this.#clock.defer(() => {
      this.#isDeferred = false
      this.flushAll()
    })
  }

  flushAll(): void {
    this.sharedFrame.clear()
    const waiting = this.#waiting
    for (let i = 0; i < waiting.length; i++) waiting[i]!.flush()
    waiting.length = 0
  }
}
