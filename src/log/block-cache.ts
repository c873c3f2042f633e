// The blocks committed last, kept in memory for readers that follow closely. One bound for all logs of a store; the oldest
// go first.
import type { Block } from './block.js'

/** What an object per block costs beside its bytes. */
const BLOCK_OVERHEAD_BYTES = 200

const READ_AHEAD_BYTES = 64 * 1024 * 1024

export interface CachedBlocks {
  /** Lets go of the oldest block; false when it is still needed. */
  evictOldest(): boolean
}

/** What the readers of a store may hold ahead of themselves together; who gets nothing reads when it comes to it. */
export class ReadAhead {
  #leftBytes: number

  constructor(limitBytes: number) {
    this.#leftBytes = limitBytes
  }

  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false
    this.#leftBytes -= bytes
    return true
  }

  give(bytes: number): void {
    this.#leftBytes += bytes
  }
}

export class BlockCache {
  readonly readAhead = new ReadAhead(READ_AHEAD_BYTES)
  readonly #limitBytes: number
  #entries: { readonly owner: CachedBlocks; readonly bytes: number }[] = []
  #head = 0
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** `owner` keeps one more block. */
  added(owner: CachedBlocks, block: Block): void {
    const bytes = block.length + BLOCK_OVERHEAD_BYTES
    this.#entries.push({ owner, bytes })
    this.#bytes += bytes
    for (let tries = this.#entries.length - this.#head; tries > 0; tries--) {
      if (this.#bytes <= this.#limitBytes) break
      this.#evict()
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  #evict(): void {
    const entry = this.#entries[this.#head++]!
    if (entry.owner.evictOldest()) this.#bytes -= entry.bytes
    else this.#entries.push(entry)
  }
}
