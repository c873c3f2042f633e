// Slots by precedence: a binary heap whose slots know their place (`heapIndex`), so that any of them leaves in O(log n).
// A slot is in one heap at a time.
import { NONE, type MessageSlots } from './message-slots.js'

export class SlotHeap {
  readonly #slots: MessageSlots
  readonly #isBefore: (one: number, other: number) => boolean
  #heap = new Int32Array(16)
  #size = 0

  constructor(slots: MessageSlots, isBefore: (one: number, other: number) => boolean) {
    this.#slots = slots
    this.#isBefore = isBefore
  }

  /** Orders slots by their deadline, the soonest first; among equals the one that was handed out first. */
  static byDeadline(slots: MessageSlots): SlotHeap {
    return new SlotHeap(slots, (one, other) => {
      const { deadlineMs, token } = slots
      if (deadlineMs[one] !== deadlineMs[other]) return deadlineMs[one]! < deadlineMs[other]!
      return token[one]! < token[other]!
    })
  }

  /** The slot before all others, or NONE. */
  get first(): number {
    return this.#size === 0 ? NONE : this.#heap[0]!
  }

  add(slot: number): void {
    if (this.#size === this.#heap.length) {
      const larger = new Int32Array(this.#size * 2)
      larger.set(this.#heap)
      this.#heap = larger
    }
    this.#size += 1
    this.#rise(slot, this.#size - 1)
  }

  remove(slot: number): void {
    const index = this.#slots.heapIndex[slot]!
    this.#size -= 1
    const last = this.#heap[this.#size]!
    if (last === slot) return
    this.#rise(last, index)
    this.#sink(last, this.#slots.heapIndex[last]!)
  }

  #rise(slot: number, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex]!
      if (!this.#isBefore(slot, parent)) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(slot, index)
  }

  #sink(slot: number, from: number): void {
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= this.#size) break
      if (
        childIndex + 1 < this.#size &&
        this.#isBefore(this.#heap[childIndex + 1]!, this.#heap[childIndex]!)
      ) {
        childIndex += 1
      }
      const child = this.#heap[childIndex]!
      if (!this.#isBefore(child, slot)) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(slot, index)
  }

  #place(slot: number, index: number): void {
    this.#heap[index] = slot
    this.#slots.heapIndex[slot] = index
  }
}
