// The waits of what is in flight. As a rule they are equally long, so that the one that began first ends first and a queue
// serves; with a backoff each attempt has a wait of its own, and a heap sorts them.
import type { MessageSlots } from './message-slots.js'
import { SlotHeap } from './slot-heap.js'
import { SlotList } from './slot-list.js'

export class AckWaits {
  readonly #slots: MessageSlots
  readonly #waitsMs: readonly number[]
  readonly #order: SlotList | SlotHeap

  /** `backoffMs`: the waits of the first, second … attempt, the last one for all that follow; empty: `ackWaitMs` for all. */
  constructor(slots: MessageSlots, ackWaitMs: number, backoffMs: readonly number[]) {
    this.#slots = slots
    this.#waitsMs = backoffMs.length > 0 ? backoffMs : [ackWaitMs]
    this.#order =
      this.#waitsMs.length === 1 ? new SlotList(slots.queues) : SlotHeap.byDeadline(slots)
  }

  /** The slot whose wait ends first, or NONE. */
  get first(): number {
    return this.#order.first
  }

  begin(slot: number, nowMs: number): void {
    const attempt = Math.min(this.#slots.attempts[slot]!, this.#waitsMs.length)
    this.#slots.deadlineMs[slot] = nowMs + this.#waitsMs[attempt - 1]!
    this.#order.add(slot)
  }

  end(slot: number): void {
    this.#order.remove(slot)
  }
}
