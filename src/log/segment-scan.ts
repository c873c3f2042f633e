// Reads a segment's bytes from front to back and tells blocks from damage, and damage from a torn tail.
//
// A block says how much of the segment was safe when it was written (`syncedTo`). Bytes that are no block though a later
// block says that they were safe are damaged. Bytes that are no block and were never safe are what an unclean stop
// left of the last writes: there the segment ends.
import type { Disk } from '../base/index.js'
import { type Block, BLOCK_HEADER_BYTES, BLOCK_MAGIC, readBlock } from './block.js'

export interface ByteRange {
  readonly from: number
  readonly to: number
}

export interface SegmentScan {
  /** Up to `end`. */
  readonly blocks: readonly Block[]
  readonly damaged: readonly ByteRange[]
  /** Where a torn tail begins, or the end of the bytes. */
  readonly end: number
  /** How much was known to be safe. */
  readonly safeTo: number
}

/**
 * Scans `bytes` from `from`. `safeLength`: how much is known to have been safe, from elsewhere. Blocks have their positions.
 */
export function scanSegment(
  disk: Disk,
  bytes: Uint8Array,
  from: number,
  incarnation: number,
  safeLength: number,
): SegmentScan {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: Block[] = []
  const gaps: { from: number; to: number; blockCount: number }[] = []
  let safeTo = safeLength
  let at = from
  let chain: number | undefined
  while (at < bytes.length) {
    const block = blockOf(disk, bytes, words, at, incarnation)
    if (block !== undefined && (chain === undefined || block.chain === chain)) {
      blocks.push(block)
      safeTo = Math.max(safeTo, block.syncedTo)
      chain = block.checksum
      at = block.end
      continue
    }
    const next = findBlock(disk, bytes, words, at + 1, incarnation)
    gaps.push({ from: at, to: next, blockCount: blocks.length })
    at = next
    chain = undefined
  }
  const torn = gaps.find((gap) => gap.from >= safeTo)
  const end = torn?.from ?? bytes.length
  return {
    blocks: torn === undefined ? blocks : blocks.slice(0, torn.blockCount),
    damaged: gaps.filter((gap) => gap.from < safeTo),
    end,
    safeTo,
  }
}

function findBlock(
  disk: Disk,
  bytes: Uint8Array,
  words: DataView,
  from: number,
  incarnation: number,
): number {
  for (let at = from; at + BLOCK_HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at] !== (BLOCK_MAGIC & 0xff)) continue
    if (blockOf(disk, bytes, words, at, incarnation) !== undefined) return at
  }
  return bytes.length
}

function blockOf(
  disk: Disk,
  bytes: Uint8Array,
  words: DataView,
  at: number,
  incarnation: number,
): Block | undefined {
  const block = readBlock(disk, bytes, words, at, bytes.length)
  if (block === undefined || block.incarnation !== incarnation) return undefined
  block.position = at
  return block
}
