// What a journal says, entry by entry. Each is u32 length, u32 kind, then:
//
//   create       text: JSON { name, incarnation, settings }
//   drop         u32 incarnation
//   limits       u32 incarnation, text: JSON
//   block        u32 incarnation, a whole block
//   removed      u32 incarnation, u64 first number, u64 last number
//   state        u32 incarnation, u64 first number, u64 last number, u64 ceiling, u64 time of the last record
//   removed-map  u32 incarnation, u64 base, a bitmap of u32 words: numbers from the base on that were removed
//   owner        text: name, the owner's whole state; forgets the notes before it
//   note         text: name, a change of that state
//   disown       text: name
//   ceiling      u32 incarnation, u64: numbers up to here may have been given
//   store        u32: the next incarnation
//   ready        the snapshot at the beginning of the file is complete, and safe
//   closed       nothing follows, everything is safe
import { readUint64 } from './block.js'
import { ByteWriter } from './byte-writer.js'
import type { LogLimits, LogSettings } from './log.js'

export const EntryKind = {
  create: 1,
  drop: 2,
  limits: 3,
  block: 4,
  removed: 5,
  state: 6,
  removedMap: 7,
  owner: 8,
  note: 9,
  disown: 10,
  ceiling: 11,
  store: 12,
  ready: 13,
  closed: 14,
} as const

export interface CreateEntry {
  readonly name: string
  readonly incarnation: number
  readonly settings: LogSettings
}

const ENTRY_HEADER_BYTES = 8
const decoder = new TextDecoder()

/** Writes entries one after another. */
export class EntryWriter extends ByteWriter {
  count = 0

  override clear(): void {
    super.clear()
    this.count = 0
  }

  create(entry: CreateEntry): void {
    this.#entry(EntryKind.create, () => this.text(JSON.stringify(entry)))
  }

  drop(incarnation: number): void {
    this.#entry(EntryKind.drop, () => this.uint32(incarnation))
  }

  limits(incarnation: number, limits: LogLimits): void {
    this.#entry(EntryKind.limits, () => {
      this.uint32(incarnation)
      this.text(JSON.stringify(limits))
    })
  }

  block(incarnation: number, bytes: Uint8Array, from: number, to: number): void {
    this.#entry(EntryKind.block, () => {
      this.uint32(incarnation)
      this.raw(bytes, from, to)
    })
  }

  removed(incarnation: number, from: number, through: number): void {
    this.#entry(EntryKind.removed, () => {
      this.uint32(incarnation)
      this.uint64(from)
      this.uint64(through)
    })
  }

  state(
    incarnation: number,
    firstSequence: number,
    lastSequence: number,
    ceiling: number,
    lastTimeMs: number,
  ): void {
    this.#entry(EntryKind.state, () => {
      this.uint32(incarnation)
      this.uint64(firstSequence)
      this.uint64(lastSequence)
      this.uint64(ceiling)
      this.uint64(lastTimeMs)
    })
  }

  removedMap(incarnation: number, base: number, words: Uint32Array): void {
    this.#entry(EntryKind.removedMap, () => {
      this.uint32(incarnation)
      this.uint64(base)
      for (const word of words) this.uint32(word)
    })
  }

  owner(name: string, snapshot: Uint8Array): void {
    this.#entry(EntryKind.owner, () => {
      this.text(name)
      this.raw(snapshot)
    })
  }

  note(name: string, bytes: Uint8Array): void {
    this.#entry(EntryKind.note, () => {
      this.text(name)
      this.raw(bytes)
    })
  }

  disown(name: string): void {
    this.#entry(EntryKind.disown, () => this.text(name))
  }

  ceiling(incarnation: number, ceiling: number): void {
    this.#entry(EntryKind.ceiling, () => {
      this.uint32(incarnation)
      this.uint64(ceiling)
    })
  }

  store(nextIncarnation: number): void {
    this.#entry(EntryKind.store, () => this.uint32(nextIncarnation))
  }

  ready(): void {
    this.#entry(EntryKind.ready, () => undefined)
  }

  closed(): void {
    this.#entry(EntryKind.closed, () => undefined)
  }

  #entry(kind: number, write: () => void): void {
    const start = this.claim(ENTRY_HEADER_BYTES)
    write()
    this.words.setUint32(start, this.length - start, true)
    this.words.setUint32(start + 4, kind, true)
    this.count += 1
  }
}

/** Reads the entries of a batch, one at a time. */
export class EntryReader {
  readonly #bytes: Uint8Array
  readonly #words: DataView
  readonly #batchEnd: number
  #next: number
  #at = 0
  #end = 0
  kind = 0

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#next = from
    this.#batchEnd = to
  }

  next(): boolean {
    if (this.#next + ENTRY_HEADER_BYTES > this.#batchEnd) return false
    this.#end = this.#next + this.#words.getUint32(this.#next, true)
    this.kind = this.#words.getUint32(this.#next + 4, true)
    this.#at = this.#next + ENTRY_HEADER_BYTES
    this.#next = this.#end
    return true
  }

  uint32(): number {
    this.#at += 4
    return this.#words.getUint32(this.#at - 4, true)
  }

  uint64(): number {
    this.#at += 8
    return readUint64(this.#words, this.#at - 8)
  }

  text(): string {
    const length = this.uint32()
    this.#at += length
    return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at))
  }

  /** A copy of what is left of the entry. */
  rest(): Uint8Array {
    return this.#bytes.slice(this.#at, this.#end)
  }

  /** What is left of the entry as 32-bit words. */
  restWords(): Uint32Array {
    const words = new Uint32Array((this.#end - this.#at) >>> 2)
    for (let i = 0; i < words.length; i++) words[i] = this.uint32()
    return words
  }
}
