// Finds a slot by a number that names it: open addressing in typed arrays, so that nothing is allocated per entry and the
// table is as large as what it holds, however far apart the numbers lie. Numbers are whole, not 0, and up to 2^53.

const FIRST_BITS = 4
/** 2^32 over the golden ratio: consecutive numbers and equal strides both spread evenly. */
const SPREAD = 0x9e3779b1

export class NumberTable {
  #keys = new Float64Array(1 << FIRST_BITS)
  #values = new Int32Array(1 << FIRST_BITS)
  #mask = (1 << FIRST_BITS) - 1
  #shift = 32 - FIRST_BITS
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The value of `key`, or -1. */
  find(key: number): number {
    const place = this.#placeOf(key)
    return this.#keys[place] === key ? this.#values[place]! : -1
  }

  /** Adds a key that is not there. */
  add(key: number, value: number): void {
    if (this.#size * 2 > this.#mask) this.#grow()
    const place = this.#placeOf(key)
    this.#keys[place] = key
    this.#values[place] = value
    this.#size += 1
  }

  /** Removes a key that is there. Entries behind it move up, so that no mark of the removed one stays. */
  remove(key: number): void {
    const keys = this.#keys
    const mask = this.#mask
    let hole = this.#placeOf(key)
    for (let place = (hole + 1) & mask; keys[place] !== 0; place = (place + 1) & mask) {
      const home = this.#homeOf(keys[place]!)
      if (((place - home) & mask) < ((place - hole) & mask)) continue
      keys[hole] = keys[place]!
      this.#values[hole] = this.#values[place]!
      hole = place
    }
    keys[hole] = 0
    this.#size -= 1
  }

  #homeOf(key: number): number {
    return Math.imul(key | 0, SPREAD) >>> this.#shift
  }

  /** Where `key` is, or where it would go. */
  #placeOf(key: number): number {
    const keys = this.#keys
    const mask = this.#mask
    let place = this.#homeOf(key)
    while (keys[place] !== key && keys[place] !== 0) place = (place + 1) & mask
    return place
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    this.#keys = new Float64Array(keys.length * 2)
    this.#values = new Int32Array(keys.length * 2)
    this.#mask = keys.length * 2 - 1
    this.#shift -= 1
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue
      const place = this.#placeOf(keys[i]!)
      this.#keys[place] = keys[i]!
      this.#values[place] = values[i]!
    }
  }
}
