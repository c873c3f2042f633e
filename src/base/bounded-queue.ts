// A first-in first-out queue with a hard limit: a ring that grows by doubling up to its capacity and never beyond.

export class BoundedQueue<T> {
  readonly capacity: number
  #ring: (T | undefined)[] = new Array<T | undefined>(8)
  #head = 0
  #size = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size >= this.capacity
  }

  /** Adds at the tail; false, and nothing added, when the queue is full. */
  push(item: T): boolean {
    if (this.isFull) return false
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size += 1
    return true
  }

  /** Takes from the head. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size -= 1
    return item
  }

  clear(): void {
    this.#ring = new Array<T | undefined>(8)
    this.#head = 0
    this.#size = 0
  }

  /** The ring's length stays a power of two, so that a position is masked, not divided. */
  #grow(): void {
    const old = this.#ring
    const grown = new Array<T | undefined>(old.length * 2)
    for (let i = 0; i < this.#size; i++) grown[i] = old[(this.#head + i) & (old.length - 1)]
    this.#ring = grown
    this.#head = 0
  }
}
