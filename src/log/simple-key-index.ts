// The keys of a log in a Map. Firsts and lasts that are not known exactly carry a fraction: `n + 0.5` as a first says
// "above n", `n - 0.5` as a last says "below n".
import type { KeyIndex, KeyState } from './log.js'

interface Entry {
  readonly key: Uint8Array
  readonly name: string
  count: number
  first: number
  last: number
}

export class SimpleKeyIndex implements KeyIndex {
  readonly #slots = new Map<string, number>()
  readonly #entries: (Entry | undefined)[] = []
  readonly #free: number[] = []
  /** The last number of the key before the latest `add`; 0 when it was new. */
  previousLast = 0

  get size(): number {
    return this.#slots.size
  }

  find(key: Uint8Array): KeyState | undefined {
    const slot = this.slotOf(key, 0, key.length)
    if (slot < 0) return undefined
    return toState(this.#entries[slot]!)
  }

  forEach(visit: (key: Uint8Array, state: KeyState) => boolean | void): void {
    for (const slot of this.#slots.values()) {
      const entry = this.#entries[slot]!
      if (visit(entry.key, toState(entry)) === false) return
    }
  }

  /** The key's slot, or -1. */
  slotOf(bytes: Uint8Array, from: number, to: number): number {
    return this.#slots.get(nameOf(bytes, from, to)) ?? -1
  }

  /** Counts one more record of a key, its last; returns the key's slot. */
  add(bytes: Uint8Array, from: number, to: number, sequence: number): number {
    const name = nameOf(bytes, from, to)
    let slot = this.#slots.get(name)
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#entries.length
      const key = bytes.slice(from, to)
      this.#entries[slot] = { key, name, count: 1, first: sequence, last: sequence }
      this.#slots.set(name, slot)
      this.previousLast = 0
      return slot
    }
    const entry = this.#entries[slot]!
    this.previousLast = entry.last
    entry.count += 1
    entry.last = sequence
    return slot
  }

  countAt(slot: number): number {
    return this.#entries[slot]!.count
  }

  firstAt(slot: number): number {
    return this.#entries[slot]!.first
  }

  lastAt(slot: number): number {
    return this.#entries[slot]!.last
  }

  setFirst(slot: number, first: number): void {
    this.#entries[slot]!.first = first
  }

  setLast(slot: number, last: number): void {
    this.#entries[slot]!.last = last
  }

  /** Counts one record less; a key without records is gone. Returns what is left. */
  take(slot: number): number {
    const entry = this.#entries[slot]!
    entry.count -= 1
    if (entry.count === 0) {
      this.#slots.delete(entry.name)
      this.#entries[slot] = undefined
      this.#free.push(slot)
    }
    return entry.count
  }

  clear(): void {
    this.#slots.clear()
    this.#entries.length = 0
    this.#free.length = 0
  }
}

function toState(entry: Entry): KeyState {
  return {
    count: entry.count,
    firstSequence: Math.ceil(entry.first),
    lastSequence: Math.floor(entry.last),
  }
}

function nameOf(bytes: Uint8Array, from: number, to: number): string {
  let name = ''
  for (let i = from; i < to; i++) name += String.fromCharCode(bytes[i]!)
  return name
}
