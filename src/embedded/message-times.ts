// What happens to messages of a stream at a moment of their own: one with a time to live is removed, a delayed one is
// appended anew, where everybody sees it, and its first record removed in the same commit.
import type { Alarm } from '../base/index.js'
import { DueTimes } from '../delivery/index.js'
import type { AppendOptions, BytesMessage } from '../engine/index.js'
import type { Log } from '../log/index.js'
import { inBackground } from './background.js'
import { readDeliverAtMs, readTtlMs } from './publish-headers.js'
import { HAS_TTL, IS_DELAYED } from './record-flags.js'
import { toStoredMessage } from './stream-record.js'
import type { StreamSite } from './stream-site.js'

/** Messages handled in one go before other work of the process gets its turn. */
const PER_TURN = 500

export class MessageTimes {
  readonly #site: StreamSite
  readonly #log: Log
  readonly #publish: (message: BytesMessage) => void
  readonly #expiries = new DueTimes()
  readonly #delayed = new DueTimes()
  #alarm: Alarm | undefined
  #isDelivering = false
  #isClosed = false

  /** `publish` accepts a message that is due; it is called within a unit. */
  constructor(site: StreamSite, log: Log, publish: (message: BytesMessage) => void) {
    this.#site = site
    this.#log = log
    this.#publish = publish
  }

  accepted(sequence: number, nowMs: number, flags: number, options: AppendOptions): void {
    const { deliverAtMs = Infinity, ttlMs = Infinity } = options
    if ((flags & IS_DELAYED) !== 0) this.#delayed.add(deliverAtMs, sequence)
    else if ((flags & HAS_TTL) !== 0) this.#expiries.add(nowMs + ttlMs, sequence)
  }

  /** Messages from a sequence on were accepted and never committed. */
  failed(fromSequence: number): void {
    this.#expiries.removeFrom(fromSequence)
    this.#delayed.removeFrom(fromSequence)
  }

  /** Learns of a message that an earlier life of the stream accepted. */
  recovered(message: BytesMessage, sequence: number, timeMs: number, flags: number): void {
    const ttlMs = (flags & HAS_TTL) === 0 ? undefined : readTtlMs(message)
    const deliverAtMs = (flags & IS_DELAYED) === 0 ? undefined : readDeliverAtMs(message)
    this.accepted(sequence, timeMs, flags, { ttlMs, deliverAtMs })
  }

  /** Looks what is due, and when to look again. */
  check(): void {
    if (this.#isClosed) return
    this.#expire()
    inBackground(this.#deliverDelayed(), this.#site)
    this.#log.enforceLimits(this.#site.clock.nowMs())
    this.arm()
  }

  arm(): void {
    if (this.#isClosed) return
    const nextMs = Math.min(
      this.#expiries.nextAtMs ?? Infinity,
      // What is being delivered calls for itself at its end.
      (this.#isDelivering ? undefined : this.#delayed.nextAtMs) ?? Infinity,
      this.#log.nextExpiryMs ?? Infinity,
    )
    this.#site.alarms.cancel(this.#alarm)
    this.#alarm = undefined
    if (nextMs === Infinity) return
    const delayMs = Math.max(1, nextMs - this.#site.clock.nowMs())
    this.#alarm = this.#site.alarms.set(delayMs, () => {
      this.#alarm = undefined
      this.check()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#site.alarms.cancel(this.#alarm)
  }

  #expire(): void {
    const nowMs = this.#site.clock.nowMs()
    for (let count = 0; count < PER_TURN; count++) {
      const sequence = this.#expiries.takeDue(nowMs)
      if (sequence === undefined) return
      this.#log.remove(sequence, false)
    }
  }

  async #deliverDelayed(): Promise<void> {
    if (this.#isDelivering) return
    this.#isDelivering = true
    try {
      for (;;) {
        const sequence = this.#delayed.takeDue(this.#site.clock.nowMs())
        if (sequence === undefined || this.#isClosed) return
        const record = await this.#log.read(sequence)
        if (record === undefined) continue
        const message = toStoredMessage(record, this.#site.topicAt)
        this.#site.store.beginUnit()
        try {
          this.#publish(message)
          this.#log.remove(sequence, true)
        } finally {
          this.#site.store.endUnit()
        }
      }
    } finally {
      this.#isDelivering = false
      this.arm()
    }
  }
}
