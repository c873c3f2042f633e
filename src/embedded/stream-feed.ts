// Shows what is committed to the consumers that are up to date, reading it once for all of them: each record goes to those that
// want its topic, and the others are not asked. A consumer that has no room, or is paused, reads by itself until it has caught up,
// so that the feed waits for nobody.
import type { Log, LogCursor } from '../log/index.js'
import type { Interested } from './interested.js'
import { IS_DELAYED } from './record-flags.js'
import { toStoredMessage } from './stream-record.js'
import type { StreamSite } from './stream-site.js'

export class StreamFeed {
  readonly #log: Log
  readonly #site: StreamSite
  readonly #followers = new Set<Interested>()
  /** Those that have looked at everything, and look for themselves when there is more. */
  #waiting: Interested[] = []
  #cursor: LogCursor | undefined

  constructor(log: Log, site: StreamSite) {
    this.#log = log
    this.#site = site
  }

  /** All that is committed below was shown. */
  get position(): number {
    return this.#cursor?.position ?? 1
  }

  /** From now on `follower`, which has looked at everything that is committed below `position`, is shown the rest. */
  join(follower: Interested, position: number): void {
    if (this.#followers.size === 0) {
      this.#cursor ??= this.#log.cursor(position)
      this.#cursor.seek(position)
    }
    this.#followers.add(follower)
  }

  leave(follower: Interested): void {
    this.#followers.delete(follower)
    if (this.#followers.size > 0) return
    this.#cursor?.close()
    this.#cursor = undefined
  }

  /** Wakes a consumer that does not follow when more is committed. */
  wakeLater(consumer: Interested): void {
    this.#waiting.push(consumer)
  }

  /** More is committed. */
  committed(): void {
    const woken = this.#waiting
    this.#waiting = []
    if (this.#followers.size > 0) this.#show(this.#cursor!, woken)
    for (const consumer of woken) consumer.wake()
  }

  #show(cursor: LogCursor, woken: Interested[]): void {
    for (;;) {
      const found = cursor.next()
      if (found === 'end') return
      // It is not in memory any more, which is as rare as it is slow: each one gets it by itself.
      if (found === 'wait') return this.#leaveAll(cursor.position, woken)
      if ((cursor.flags & IS_DELAYED) === 0) this.#showOne(cursor, woken)
    }
  }

  #showOne(cursor: LogCursor, woken: Interested[]): void {
    const { bytes, keyStart, keyEnd, sequence } = cursor
    const consumers = this.#site.consumersOf(this.#site.topicAt(bytes, keyStart, keyEnd))
    if (consumers.length === 0) return
    const message = toStoredMessage(cursor, this.#site.topicAt)
    for (const consumer of consumers) {
      if (!consumer.isFollowing) continue
      if (!consumer.take(message)) this.#drop(consumer, sequence)
      else if (woken[woken.length - 1] !== consumer) woken.push(consumer)
    }
  }

  #leaveAll(position: number, woken: Interested[]): void {
    for (const follower of [...this.#followers]) {
      this.#drop(follower, position)
      woken.push(follower)
    }
  }

  #drop(follower: Interested, sequence: number): void {
    this.#followers.delete(follower)
    follower.fallBehind(sequence)
  }
}
