// The loop that hands out: as long as members have credit, the ledger has room and the stream has messages, it takes a batch, has
// its attempts written down, and delivers. It runs when something became possible, and once at a time.
import type { FanfareError } from '../base/index.js'
import type { ConsumerLedger } from '../delivery/ledger/index.js'
import type { ConsumerSettings, StoredMessage } from '../engine/index.js'
import { inBackground } from './background.js'
import { HandOutBatch, type BatchItem } from './hand-out-batch.js'
import type { Members } from './members.js'
import type { MessageSource } from './message-source.js'
import type { PendingCount } from './pending-count.js'
import type { StreamSite } from './stream-site.js'

/** Hand-outs, or messages looked at, after which other work of the process gets its turn. */
const MOST_IN_ONE_GO = 1_024

/** How long to wait when attempts could not be written. */
const TRY_AGAIN_MS = 1_000

/** The consumer's side. */
export interface HandOutOwner {
  readonly settings: ConsumerSettings
  readonly ledger: ConsumerLedger
  readonly members: Members
  readonly source: MessageSource
  readonly pending: PendingCount
  /** Whether it reads, and has not ended. */
  readonly isRunning: boolean
  readonly isPaused: boolean
  /** What was given up is written as dead letters. */
  workAtDesk(): void
  /** Calls `done` when what was taken from the ledger is written. */
  writeAttempts(done: (error?: FanfareError) => void): void
  flies(item: BatchItem): void
  /** Whether it still does: a verdict may have come, or its member may have left. */
  isFlying(item: BatchItem): boolean
  takeBack(item: BatchItem): void
  deliver(item: BatchItem, message: StoredMessage): void
  /** The message is no longer there. */
  vanished(item: BatchItem): void
  settled(id: number): void
  /** Nothing more can be handed out now. */
  rested(): void
}

export class HandOutLoop {
  /** When to try again to write attempts that could not be written. */
  tryAgainMs = Infinity
  readonly #site: StreamSite
  readonly #owner: HandOutOwner
  #isAtWork = false
  #isCalled = false

  constructor(site: StreamSite, owner: HandOutOwner) {
    this.#site = site
    this.#owner = owner
  }

  /** Something became possible. */
  call(): void {
    this.#isCalled = true
    if (this.#isAtWork || !this.#owner.isRunning) return
    this.#isAtWork = true
    inBackground(this.#run(), this.#site)
  }

  /** While one batch is delivered, the attempts of the next are being written. */
  async #run(): Promise<void> {
    const owner = this.#owner
    let ready: HandOutBatch | undefined
    let inOneGo = 0
    while (owner.isRunning && (this.#isCalled || ready !== undefined)) {
      this.#isCalled = false
      const { batch: next, looked } = this.#takeBatch()
      inOneGo += looked
      const writing = next.isEmpty ? undefined : this.#writeAttempts(next)
      if (ready !== undefined) {
        await this.#deliver(ready)
        this.#isCalled = true
      }
      const isWritten = await writing
      ready = isWritten === true ? next : undefined
      if (isWritten === false) break
      if (inOneGo < MOST_IN_ONE_GO) continue
      await new Promise<void>((resolve) => this.#site.clock.defer(resolve))
      inOneGo = 0
    }
    if (ready !== undefined) await this.#deliver(ready)
    this.#isAtWork = false
    owner.rested()
  }

  /** The next batch, and how many messages were looked at for it. */
  #takeBatch(): { readonly batch: HandOutBatch; readonly looked: number } {
    const owner = this.#owner
    owner.workAtDesk()
    const batch = new HandOutBatch()
    const passedOver = owner.isPaused ? 0 : this.#fill(batch)
    // What was looked at may be parked behind a dead letter.
    if (batch.isEmpty) owner.workAtDesk()
    if (!batch.isEmpty || passedOver >= MOST_IN_ONE_GO) this.#isCalled = true
    return { batch, looked: Math.max(passedOver, batch.items.length) }
  }

  /** Answers how many messages were looked at; it stops at the most to give way. */
  #fill(batch: HandOutBatch): number {
    const { ledger, source, pending, members, settings } = this.#owner
    const nowMs = this.#site.clock.nowMs()
    let looked = 0
    while (!batch.isFull && looked < MOST_IN_ONE_GO) {
      const member = members.next()
      if (member === undefined) break
      const next = ledger.take(nowMs)
      if (next === undefined) {
        if (!ledger.wantsMore) break
        if (source.readOn(ledger)) {
          looked += 1
          continue
        }
        if (source.isAtEnd && settings.order === 'stream') pending.count = 0
        break
      }
      const { id, token, deliveryCount, isRedelivery } = next
      if (!isRedelivery && id > 0) pending.count -= 1
      member.credit -= 1
      const message = source.takeKept(id)
      const item = { id, token, deliveryCount, pending: pending.count, member, message }
      if (settings.acknowledge !== 'none') this.#owner.flies(item)
      batch.add(item)
    }
    return looked
  }

  /** An attempt is written before its hand-out; false: it could not be, and everything is as before. */
  async #writeAttempts(batch: HandOutBatch): Promise<boolean> {
    const error = await new Promise<FanfareError | undefined>((resolve) => {
      this.#owner.writeAttempts(resolve)
    })
    if (error === undefined) return true
    for (const item of batch.items) {
      this.#owner.takeBack(item)
      item.member.credit += 1
    }
    this.#site.report({ type: 'engine-error', error })
    this.tryAgainMs = this.#site.clock.nowMs() + TRY_AGAIN_MS
    return false
  }

  async #deliver(batch: HandOutBatch): Promise<void> {
    const { settings, source } = this.#owner
    const isSettled = settings.acknowledge === 'none'
    for (const item of batch.items) {
      const message = item.message ?? (await source.read(item.id))
      if (!isSettled && !this.#owner.isFlying(item)) continue
      if (message === undefined) this.#owner.vanished(item)
      else this.#owner.deliver(item, message)
      if (isSettled) this.#owner.settled(item.id)
    }
  }
}
