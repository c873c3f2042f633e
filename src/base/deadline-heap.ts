// Things that are due, the soonest first: a binary heap whose entries know their place, so that cancelling one costs
// O(log n). Entries due at the same moment come out in the order they were added.

export interface Deadline<T> {
  readonly atMs: number
  readonly value: T
}

class Entry<T> implements Deadline<T> {
  readonly atMs: number
  readonly value: T
  readonly order: number
  /** Position in the heap, or -1 once it has left. */
  index = -1

  constructor(atMs: number, value: T, order: number) {
    this.atMs = atMs
    this.value = value
    this.order = order
  }

  isBefore(other: Entry<T>): boolean {
    return this.atMs < other.atMs || (this.atMs === other.atMs && this.order < other.order)
  }
}

export class DeadlineHeap<T> {
  readonly #entries: Entry<T>[] = []
  #added = 0

  get size(): number {
    return this.#entries.length
  }

  peek(): Deadline<T> | undefined {
    return this.#entries[0]
  }

  add(atMs: number, value: T): Deadline<T> {
    const entry = new Entry(atMs, value, this.#added++)
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
    return entry
  }

  /** Takes `deadline` out; does nothing when it has already left. */
  remove(deadline: Deadline<T>): void {
    const entry = deadline as Entry<T>
    const index = entry.index
    if (index < 0) return
    entry.index = -1
    const last = this.#entries.pop()!
    if (last === entry) return
    this.#rise(last, index)
    this.#sink(last, last.index)
  }

  /** Takes out and returns the soonest entry if it is due at `nowMs`. */
  takeDue(nowMs: number): Deadline<T> | undefined {
    const first = this.#entries[0]
    if (first === undefined || first.atMs > nowMs) return undefined
    this.remove(first)
    return first
  }

  #rise(entry: Entry<T>, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#entries[parentIndex]!
      if (!entry.isBefore(parent)) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(entry, index)
  }

  #sink(entry: Entry<T>, from: number): void {
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= this.#entries.length) break
      const right = this.#entries[childIndex + 1]
      if (right !== undefined && right.isBefore(this.#entries[childIndex]!)) childIndex += 1
      const child = this.#entries[childIndex]!
      if (!child.isBefore(entry)) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(entry, index)
  }

  #place(entry: Entry<T>, index: number): void {
    this.#entries[index] = entry
    entry.index = index
  }
}
