// A segment whose blocks lie in memory.
import type { Block } from './block.js'
import { firstIndex, Segment, type LoadedBlocks } from './segment.js'

export class MemorySegment extends Segment {
  blocks: Block[] = []

  override blockAt(sequence: number): Block | undefined {
    const blocks = this.blocks
    const last = blocks[blocks.length - 1]
    if (last === undefined || last.lastSequence < sequence) return undefined
    if (last.firstSequence <= sequence) return last
    return blocks[firstIndex(blocks, (block) => block.lastSequence >= sequence)]
  }

  override load(sequence: number): Promise<LoadedBlocks> {
    const block = this.blockAt(sequence)
    return Promise.resolve({
      blocks: block === undefined ? [] : [block],
      throughSequence: block?.lastSequence ?? this.nextSequence - 1,
    })
  }

  override numberBefore(timeMs: number): number {
    const index = firstIndex(this.blocks, (block) => block.lastTimeMs >= timeMs)
    return this.blocks[index]?.firstSequence ?? this.nextSequence
  }
}
