// Messages that were read and wait for their turn. As a rule they are taken in the order in which they came, so that a queue serves;
// those that are passed over, as the key before them is busy, are found by their sequence. Beyond a bound they are let go, and read
// again when they are asked for.
import type { StoredMessage } from '../engine/index.js'

const MOST_QUEUED = 2_000
const MOST_PASSED_OVER = 2_000

export class KeptMessages {
  #queue: StoredMessage[] = []
  #head = 0
  readonly #passedOver = new Map<number, StoredMessage>()

  get isFull(): boolean {
    return this.#queue.length - this.#head >= MOST_QUEUED
  }

  /** Keeps a message whose sequence is above those that were kept. */
  add(message: StoredMessage): void {
    this.#queue.push(message)
  }

  find(sequence: number): StoredMessage | undefined {
    this.#passOver(sequence)
    const next = this.#queue[this.#head]
    return next?.sequence === sequence ? next : this.#passedOver.get(sequence)
  }

  take(sequence: number): StoredMessage | undefined {
    this.#passOver(sequence)
    const next = this.#queue[this.#head]
    if (next?.sequence === sequence) {
      this.#dropFirst()
      return next
    }
    const message = this.#passedOver.get(sequence)
    if (message !== undefined) this.#passedOver.delete(sequence)
    return message
  }

  clear(): void {
    this.#queue = []
    this.#head = 0
    this.#passedOver.clear()
  }

  /** What is below a sequence waits in the map: it was not its turn. */
  #passOver(sequence: number): void {
    for (;;) {
      const first = this.#queue[this.#head]
      if (first === undefined || first.sequence >= sequence) return
      this.#passedOver.set(first.sequence, first)
      // Some were settled otherwise and are never asked for.
      if (this.#passedOver.size > MOST_PASSED_OVER) {
        this.#passedOver.delete(this.#passedOver.keys().next().value!)
      }
      this.#dropFirst()
    }
  }

  #dropFirst(): void {
    this.#head += 1
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0
      this.#head = 0
    } else if (this.#head >= 1_024) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
  }
}
