// Records in blocks and back again, and blocks that something happened to.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FaultDisk } from '../../src/base/faults/index.js'
import {
  type Block,
  BLOCK_HEADER_BYTES,
  BLOCK_RECORD_BYTES,
  readBlock,
} from '../../src/log/block.js'
import { BlockWriter } from '../../src/log/block-writer.js'
import { RecordView } from '../../src/log/record.js'

const disk = new FaultDisk()

/** Length and checksum: bodies are too long to compare byte by byte. */
function sum(bytes: Uint8Array, from: number, to: number): string {
  return `${to - from} ${disk.checksum(bytes, from, to)}`
}

const record = fc.record({
  step: fc.integer({ min: 1, max: 3 }),
  laterMs: fc.oneof(fc.nat(5), fc.constant(0x1_0000_0000)),
  flags: fc.nat(0xffff),
  key: fc.uint8Array({ maxLength: 60 }),
  head: fc.uint8Array({ maxLength: 80 }),
  gap: fc.nat(3),
  body: fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.nat(150_000).map((length) => new Uint8Array(length).fill(7)) },
  ),
})

function write(
  writer: BlockWriter,
  sequence: number,
  timeMs: number,
  r: {
    flags: number
    key: Uint8Array
    head: Uint8Array
    gap: number
    body: Uint8Array
  },
): void {
  const bodyStart = 1 + r.head.length + r.gap
  const source = new Uint8Array(bodyStart + r.body.length + 1)
  source.set(r.head, 1)
  source.set(r.body, bodyStart)
  writer.append(
    sequence,
    timeMs,
    r.flags,
    r.key,
    0,
    r.key.length,
    source,
    1,
    1 + r.head.length,
    bodyStart,
    bodyStart + r.body.length,
  )
}

describe('BlockWriter', () => {
  it('gives back what was written, in blocks that keep to their size', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 40, size: 'max' }), (records) => {
        const blocks: Block[] = []
        const writer = new BlockWriter(9, (block) => blocks.push(block))
        let sequence = 0
        let timeMs = 1_700_000_000_000
        const expected = records.map((r) => {
          sequence += r.step
          timeMs += r.laterMs
          write(writer, sequence, timeMs, r)
          return { sequence, timeMs, ...r }
        })
        writer.seal()
        const view = new RecordView()
        const found: object[] = []
        for (const written of blocks) {
          written.stamp(disk, 1, 2, 3)
          const block = readBlock(disk, written.bytes, written.words, written.start, written.end)!
          expect(block).toMatchObject({
            firstSequence: written.firstSequence,
            lastSequence: written.lastSequence,
            lastTimeMs: written.lastTimeMs,
            count: written.count,
            incarnation: 9,
            chain: 1,
            syncedTo: 2,
          })
          expect(block.count === 1 || block.recordBytes <= BLOCK_RECORD_BYTES).toBe(true)
          for (let at = block.recordsStart; at < block.end; at = view.bodyEnd) {
            view.show(block, at)
            const { bytes } = view
            found.push({
              sequence: view.sequence,
              timeMs: view.timeMs,
              flags: view.flags,
              key: bytes.slice(view.keyStart, view.keyEnd),
              head: bytes.slice(view.headStart, view.headEnd),
              body: sum(bytes, view.bodyStart, view.bodyEnd),
            })
          }
        }
        expect(found).toEqual(
          expected.map(({ sequence, timeMs, flags, key, head, body }) => ({
            sequence,
            timeMs,
            flags,
            key,
            head,
            body: sum(body, 0, body.length),
          })),
        )
      }),
      { numRuns: 40 },
    )
  })
})

describe('readBlock', () => {
  it('takes no block with a bit turned over, and none that is cut', () => {
    const blocks: Block[] = []
    const writer = new BlockWriter(1, (block) => blocks.push(block))
    const key = new Uint8Array([1, 2, 3])
    write(writer, 1, 5, { flags: 1, key, head: key, gap: 0, body: new Uint8Array(20) })
    writer.seal()
    const [block] = blocks
    block!.stamp(disk, 0, 0, 0)
    const whole = block!.bytes.slice(block!.start, block!.end)
    const read = (bytes: Uint8Array): Block | undefined =>
      readBlock(disk, bytes, new DataView(bytes.buffer), 0, bytes.length)
    expect(read(whole)).toBeDefined()
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const turned = whole.slice()
      turned[bit >>> 3]! ^= 1 << (bit & 7)
      expect(read(turned), `bit ${bit}`).toBeUndefined()
    }
    for (let length = BLOCK_HEADER_BYTES; length < whole.length; length++) {
      expect(read(whole.slice(0, length)), `length ${length}`).toBeUndefined()
    }
  })
})
