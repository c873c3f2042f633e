// Messages that something happens to at a time: they expire, or a delay is over. A heap of (time, sequence) pairs, 16 bytes
// each, in pages outside the JavaScript heap, so that millions cost no garbage collection and growing copies nothing. A message
// that is removed before its time stays in it; whoever takes it out looks whether it is still there.

const PAGE_BITS = 15
const PAGE_ENTRIES = 1 << PAGE_BITS
const PAGE_MASK = PAGE_ENTRIES - 1
const FIRST_ENTRIES = 64

export class DueTimes {
  /** Time and sequence in turn. Only the first page is ever smaller than the others, while it is the only one. */
  readonly #pages: Float64Array[] = [new Float64Array(2 * FIRST_ENTRIES)]
  #size = 0
  /** No sequence is higher. */
  #highest = 0

  get size(): number {
    return this.#size
  }

  /** The soonest time, or undefined when there is none. */
  get nextAtMs(): number | undefined {
    return this.#size === 0 ? undefined : this.#timeAt(0)
  }

  add(atMs: number, sequence: number): void {
    this.#highest = Math.max(this.#highest, sequence)
    this.#makeRoom()
    let index = this.#size++
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(atMs, sequence, parent)) break
      this.#place(index, this.#timeAt(parent), this.#sequenceAt(parent))
      index = parent
    }
    this.#place(index, atMs, sequence)
  }

  /** Takes out the sequence that is due first, equal times in order of sequence; undefined when none is due at `nowMs`. */
  takeDue(nowMs: number): number | undefined {
    if (this.#size === 0 || this.#timeAt(0) > nowMs) return undefined
    const sequence = this.#sequenceAt(0)
    this.#size -= 1
    if (this.#size > 0) this.#sink(this.#timeAt(this.#size), this.#sequenceAt(this.#size))
    this.#giveRoom()
    return sequence
  }

  /** Forgets sequences from `sequence` on: their messages never came to be, and the numbers are given again. */
  removeFrom(sequence: number): void {
    if (this.#highest < sequence) return
    const size = this.#size
    this.#size = 0
    this.#highest = sequence - 1
    for (let index = 0; index < size; index++) {
      const kept = this.#sequenceAt(index)
      // What is kept is put where it was looked at already.
      if (kept < sequence) this.add(this.#timeAt(index), kept)
    }
  }

  /** Puts an entry in the place of the first. */
  #sink(atMs: number, sequence: number): void {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#size) break
      const right = child + 1
      if (
        right < this.#size &&
        this.#isBefore(this.#timeAt(right), this.#sequenceAt(right), child)
      ) {
        child = right
      }
      if (this.#isBefore(atMs, sequence, child)) break
      this.#place(index, this.#timeAt(child), this.#sequenceAt(child))
      index = child
    }
    this.#place(index, atMs, sequence)
  }

  #isBefore(atMs: number, sequence: number, other: number): boolean {
    const otherMs = this.#timeAt(other)
    return atMs < otherMs || (atMs === otherMs && sequence < this.#sequenceAt(other))
  }

  #timeAt(index: number): number {
    return this.#pages[index >> PAGE_BITS]![2 * (index & PAGE_MASK)]!
  }

  #sequenceAt(index: number): number {
    return this.#pages[index >> PAGE_BITS]![2 * (index & PAGE_MASK) + 1]!
  }

  #place(index: number, atMs: number, sequence: number): void {
    const page = this.#pages[index >> PAGE_BITS]!
    page[2 * (index & PAGE_MASK)] = atMs
    page[2 * (index & PAGE_MASK) + 1] = sequence
  }

  #makeRoom(): void {
    const first = this.#pages[0]!
    if (this.#size * 2 === first.length && this.#size < PAGE_ENTRIES) {
      const larger = new Float64Array(first.length * 2)
      larger.set(first)
      this.#pages[0] = larger
    } else if (this.#size === this.#pages.length * PAGE_ENTRIES) {
      this.#pages.push(new Float64Array(2 * PAGE_ENTRIES))
    }
  }

  /** Gives a page back when the one before it is half empty too, so that sizes that sway do not allocate. */
  #giveRoom(): void {
    const kept = (this.#pages.length - 1.5) * PAGE_ENTRIES
    if (this.#pages.length > 1 && this.#size < kept) this.#pages.pop()
  }
}
