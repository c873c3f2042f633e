// What happens to messages of a stream at a moment of their own: one with a time to live is removed, a delayed one is
// appended anew, where everybody sees it, and its first record removed in the same commit.
import type { Alarm } from '../base/index.js'
import { DueTimes } from '../delivery/ledger/index.js'
import type { AppendOptions, BytesMessage, StoredMessage } from '../engine/index.js'
import type { Log } from '../log/index.js'
import { inBackground } from './background.js'
import { readDeliverAtMs, readTtlMs } from './publish-headers.js'
import { HAS_TTL, IS_DELAYED } from './record-flags.js'
import { toStoredMessage } from './stream-record.js'
import type { StreamSite } from './stream-site.js'

/** Messages handled in one go before other work of the process gets its turn. */
const PER_TURN = 500
/** Delayed messages that are stored anew in one commit. */
const PER_COMMIT = 128
const RETRY_MS = 1_000

interface DueMessage {
  readonly sequence: number
  readonly message: StoredMessage
}

export class MessageTimes {
  readonly #site: StreamSite
  readonly #log: Log
  readonly #publish: (message: BytesMessage) => void
  readonly #expiries = new DueTimes()
  readonly #delayed = new DueTimes()
  #alarm: Alarm | undefined
  #isDelivering = false
  /** What is due and could not be committed, and when it is tried again. */
  #refused: readonly DueMessage[] = []
  #retryAtMs = 0
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
      this.#nextDeliveryMs,
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

  /** What is being delivered calls for itself at its end. */
  get #nextDeliveryMs(): number {
    if (this.#isDelivering) return Infinity
    const dueMs = this.#refused.length > 0 ? 0 : (this.#delayed.nextAtMs ?? Infinity)
    return Math.max(dueMs, this.#retryAtMs)
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
    if (this.#isDelivering || this.#site.clock.nowMs() < this.#retryAtMs) return
    this.#isDelivering = true
    try {
      while (!this.#isClosed && this.#log.frozen === undefined) {
        const batch = this.#refused.length > 0 ? this.#refused : await this.#takeDelayed()
        if (batch.length === 0) return
        this.#refused = batch
        await this.#storeAnew(batch)
        this.#refused = []
      }
    } catch (error) {
      this.#retryAtMs = this.#site.clock.nowMs() + RETRY_MS
      throw error
    } finally {
      this.#isDelivering = false
      this.arm()
    }
  }

  async #takeDelayed(): Promise<readonly DueMessage[]> {
    const nowMs = this.#site.clock.nowMs()
    const batch: DueMessage[] = []
    for (let taken = 0; taken < PER_COMMIT; taken++) {
      const sequence = this.#delayed.takeDue(nowMs)
      if (sequence === undefined) break
      try {
        const record = await this.#log.read(sequence)
        if (record === undefined) continue
        batch.push({ sequence, message: toStoredMessage(record, this.#site.topicAt) })
      } catch (error) {
        for (const { sequence: read } of batch) this.#delayed.add(nowMs, read)
        this.#delayed.add(nowMs, sequence)
        throw error
      }
    }
    return batch
  }

  /** In one commit: what was removed meanwhile stays away, and what the commit refuses may be asked of it again. */
  #storeAnew(batch: readonly DueMessage[]): Promise<void> {
    const { store } = this.#site
    return new Promise((resolve, reject) => {
      if (this.#isClosed || this.#log.frozen !== undefined) return resolve()
      store.beginUnit()
      try {
        for (const { sequence, message } of batch) {
          if (this.#log.remove(sequence, true)) this.#publish(message)
        }
      } finally {
        store.endUnit((error) => (error === undefined ? resolve() : reject(error)))
      }
    })
  }
}
