// The ids of what was published lately, to tell a duplicate: as 128-bit hashes in a ring, oldest first, with a table of
// ring places beside it. Bounded by age and by number; nothing is allocated per call.
import { FanfareError } from '../../base/index.js'
import { murmurHash } from './murmur-hash.js'
import { NumberReader, NumberWriter } from './number-bytes.js'

const VERSION = 1
const SEED = 0
const SMALLEST = 16

export class DuplicateWindow {
  readonly #windowMs: number
  readonly #capacity: number
  /** Four words for each place of the ring, whose length is a power of two. */
  #hashes = new Int32Array(4 * SMALLEST)
  #sequences = new Float64Array(SMALLEST)
  #timesMs = new Float64Array(SMALLEST)
  /** Places of the ring plus 1, found by their hash; 0 is free. Twice as long as the ring. */
  #table = new Int32Array(2 * SMALLEST)
  #head = 0
  #size = 0
  #forgottenEarly = 0
  readonly #hash = new Int32Array(4)

  /**
   * @param windowMs how long an id is remembered
   * @param capacity how many ids at most; beyond it the oldest is forgotten early
   */
  constructor(windowMs: number, capacity: number) {
    this.#windowMs = windowMs
    this.#capacity = capacity
  }

  /** The window that `snapshot` was made of; with other bounds, what these allow of it. */
  static restore(windowMs: number, capacity: number, snapshot: Uint8Array): DuplicateWindow {
    const window = new DuplicateWindow(windowMs, capacity)
    window.#read(new NumberReader(snapshot))
    return window
  }

  get size(): number {
    return this.#size
  }

  /** How many ids were forgotten younger than the window because there were too many. */
  get forgottenEarly(): number {
    return this.#forgottenEarly
  }

  /** The sequence of the message with the id `bytes[from, to)`, or undefined when it is not remembered. */
  find(bytes: Uint8Array, from: number, to: number, nowMs: number): number | undefined {
    this.#forgetOld(nowMs)
    if (this.#size === 0) return undefined
    murmurHash(bytes, from, to, SEED, this.#hash)
    const place = this.#table[this.#spotOfHash()]!
    return place === 0 ? undefined : this.#sequences[place - 1]
  }

  /**
   * Remembers an id, of a message with a higher sequence than those before. Does nothing for one that is remembered, so that
   * what a snapshot knows may be added again.
   */
  add(bytes: Uint8Array, from: number, to: number, sequence: number, nowMs: number): void {
    this.#forgetOld(nowMs)
    murmurHash(bytes, from, to, SEED, this.#hash)
    this.#append(sequence, nowMs)
  }

  /** Forgets the ids of messages from `sequence` on: they were accepted and then refused. */
  removeFrom(sequence: number): void {
    while (this.#size > 0) {
      const place = this.#placeAt(this.#size - 1)
      if (this.#sequences[place]! < sequence) return
      this.#unlist(place)
      this.#size -= 1
    }
  }

  /** What is remembered, of messages from one sequence through another; all of it by default. */
  snapshot(fromSequence = 0, throughSequence = Infinity): Uint8Array {
    const start = this.#countBelow(fromSequence)
    const end = this.#countBelow(throughSequence + 1)
    const writer = new NumberWriter()
    writer.write(VERSION)
    writer.write(this.#forgottenEarly)
    writer.write(end - start)
    let sequence = 0
    let timeMs = 0
    for (let i = start; i < end; i++) {
      const place = this.#placeAt(i)
      for (let word = 0; word < 4; word++) writer.writeWord(this.#hashes[4 * place + word]!)
      writer.write(this.#sequences[place]! - sequence)
      writer.write(this.#timesMs[place]! - timeMs)
      sequence = this.#sequences[place]!
      timeMs = this.#timesMs[place]!
    }
    return writer.take()
  }

  /** Remembers what a snapshot knows, of sequences above those remembered; what is remembered already stays as it is. */
  addSnapshot(snapshot: Uint8Array): void {
    this.#read(new NumberReader(snapshot))
  }

  /** How many ids are of messages below a sequence. */
  #countBelow(sequence: number): number {
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#sequences[this.#placeAt(middle)]! < sequence) low = middle + 1
      else high = middle
    }
    return low
  }

  #read(reader: NumberReader): void {
    const version = reader.read()
    if (version > VERSION) {
      throw new FanfareError('FORMAT_TOO_NEW', `duplicate window of version ${version}`)
    }
    this.#forgottenEarly = Math.max(this.#forgottenEarly, reader.read())
    let sequence = 0
    let timeMs = 0
    for (let left = reader.read(); left > 0; left--) {
      for (let word = 0; word < 4; word++) this.#hash[word] = reader.readWord()
      sequence += reader.read()
      timeMs += reader.read()
      this.#append(sequence, timeMs)
    }
  }

  /** Adds the id whose hash is in `#hash`. */
  #append(sequence: number, nowMs: number): void {
    if (this.#capacity < 1 || this.#windowMs <= 0) return
    if (this.#table[this.#spotOfHash()] !== 0) return
    if (this.#size >= this.#capacity) {
      this.#forgetOldest()
      this.#forgottenEarly += 1
    }
    if (this.#size === this.#sequences.length) this.#resize(2 * this.#size)
    const place = this.#placeAt(this.#size)
    // A clock that was set back must not keep what comes after from being forgotten.
    const lastMs = this.#size === 0 ? 0 : this.#timesMs[this.#placeAt(this.#size - 1)]!
    for (let word = 0; word < 4; word++) this.#hashes[4 * place + word] = this.#hash[word]!
    this.#sequences[place] = sequence
    this.#timesMs[place] = Math.max(nowMs, lastMs)
    this.#size += 1
    this.#table[this.#spotOfHash()] = place + 1
  }

  #forgetOld(nowMs: number): void {
    const forgottenMs = nowMs - this.#windowMs
    while (this.#size > 0 && this.#timesMs[this.#head]! <= forgottenMs) this.#forgetOldest()
    const { length } = this.#sequences
    if (length > SMALLEST && this.#size * 8 < length) this.#resize(length / 2)
  }

  #forgetOldest(): void {
    this.#unlist(this.#head)
    this.#head = this.#placeAt(1)
    this.#size -= 1
  }

  /** The ring's place of the entry `index` entries behind the oldest. */
  #placeAt(index: number): number {
    return (this.#head + index) & (this.#sequences.length - 1)
  }

  /** The table's spot of the id in `#hash`, or the free one where it would go. */
  #spotOfHash(): number {
    const table = this.#table
    const mask = table.length - 1
    let spot = this.#hash[0]! & mask
    while (table[spot] !== 0 && !this.#isHashOf(table[spot]! - 1)) spot = (spot + 1) & mask
    return spot
  }

  #isHashOf(place: number): boolean {
    const hashes = this.#hashes
    const hash = this.#hash
    const at = 4 * place
    return (
      hashes[at] === hash[0] &&
      hashes[at + 1] === hash[1] &&
      hashes[at + 2] === hash[2] &&
      hashes[at + 3] === hash[3]
    )
  }

  /** Takes a place out of the table. Entries behind it move up, so that no mark of it stays. */
  #unlist(place: number): void {
    const table = this.#table
    const mask = table.length - 1
    let hole = this.#hashes[4 * place]! & mask
    while (table[hole] !== place + 1) hole = (hole + 1) & mask
    for (let spot = (hole + 1) & mask; table[spot] !== 0; spot = (spot + 1) & mask) {
      const home = this.#hashes[4 * (table[spot]! - 1)]! & mask
      if (((spot - home) & mask) < ((spot - hole) & mask)) continue
      table[hole] = table[spot]!
      hole = spot
    }
    table[hole] = 0
  }

  /** Lays the entries out anew, the oldest first, in a ring of `length` places. */
  #resize(length: number): void {
    const hashes = new Int32Array(4 * length)
    const sequences = new Float64Array(length)
    const timesMs = new Float64Array(length)
    const table = new Int32Array(2 * length)
    const mask = table.length - 1
    for (let i = 0; i < this.#size; i++) {
      const place = this.#placeAt(i)
      for (let word = 0; word < 4; word++) hashes[4 * i + word] = this.#hashes[4 * place + word]!
      sequences[i] = this.#sequences[place]!
      timesMs[i] = this.#timesMs[place]!
      let spot = hashes[4 * i]! & mask
      while (table[spot] !== 0) spot = (spot + 1) & mask
      table[spot] = i + 1
    }
    this.#hashes = hashes
    this.#sequences = sequences
    this.#timesMs = timesMs
    this.#table = table
    this.#head = 0
  }
}
