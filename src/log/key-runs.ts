// Counts the records of a block in the key index. Neighbours of one key are counted at once, as most streams are published to in
// runs, and a key is found by its hash only where it differs from the one before.
import type { Block } from './block.js'
import type { MutableKeyIndex } from './key-index.js'
import { RECORD_HEADER_BYTES } from './record.js'

/** Counts those from `start` to the block's end; returns how many there are. */
export function countKeys(keys: MutableKeyIndex, block: Block, start: number): number {
  const { bytes, words, firstSequence, end } = block
  let total = 0
  let at = start
  while (at < end) {
    const from = at + RECORD_HEADER_BYTES
    const keyBytes = words.getUint16(at + 14, true)
    const first = firstSequence + words.getUint32(at + 4, true)
    let last: number
    let count = 0
    do {
      last = firstSequence + words.getUint32(at + 4, true)
      count += 1
      at += words.getUint32(at, true)
    } while (
      at < end &&
      words.getUint16(at + 14, true) === keyBytes &&
      isSame(bytes, from, at + RECORD_HEADER_BYTES, keyBytes)
    )
    keys.addMany(bytes, from, from + keyBytes, count, first, last)
    total += count
  }
  return total
}

function isSame(bytes: Uint8Array, one: number, other: number, length: number): boolean {
  // From the end, where topics of one stream differ.
  for (let i = length - 1; i >= 0; i--) if (bytes[one + i] !== bytes[other + i]) return false
  return true
}
