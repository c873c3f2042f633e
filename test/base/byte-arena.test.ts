// Copies within the arena and into it give the bytes that a plain copy gives, and slabs never overlap.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteArena, copyIntoSlab } from '../../src/base/index.js'

const slabBytes = 256

describe('copyIntoSlab', () => {
  it('copies as a plain copy does, within the arena and from outside, and touches nothing else', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 120, size: 'max' }),
        fc.nat(20),
        fc.nat(50),
        fc.boolean(),
        (content, from, gap, isInside) => {
          const arena = new ByteArena({ slabBytes, slabCount: 2 })
          const [source, target] = [arena.borrow(), arena.borrow()]
          target.bytes.fill(0xaa)
          const buffer = isInside ? source.bytes : new Uint8Array(slabBytes)
          const start = (isInside ? source.start : 0) + from
          buffer.set(content, start)
          const at = target.start + gap
          const expected = target.bytes.slice()
          expected.set(content, at)
          expect(copyIntoSlab(buffer, start, start + content.length, target, at)).toBe(
            at + content.length,
          )
          expect(target.bytes).toEqual(expected)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('copies nothing for an empty range', () => {
    const slab = new ByteArena({ slabBytes, slabCount: 1 }).borrow()
    expect(copyIntoSlab(slab.bytes, 5, 5, slab, 9)).toBe(9)
    expect(copyIntoSlab(new Uint8Array(3), 1, 1, slab, 9)).toBe(9)
  })
})

describe('ByteArena', () => {
  it('lends slabs that do not overlap, further ones included, and the last returned first', () => {
    const arena = new ByteArena({ slabBytes, slabCount: 3 })
    const slabs = Array.from({ length: 5 }, () => arena.borrow())
    slabs.forEach((slab, i) => slab.bytes.fill(i + 1, slab.start, slab.end))
    slabs.forEach((slab, i) => {
      expect(slab.end - slab.start).toBe(slabBytes)
      expect(slab.bytes.subarray(slab.start, slab.end).every((byte) => byte === i + 1)).toBe(true)
      expect(slab.words.getUint8(slab.start)).toBe(i + 1)
    })
    expect(new Set(slabs.slice(0, 3).map(({ bytes }) => bytes)).size).toBe(1)
    arena.release(slabs[0]!)
    arena.release(slabs[2]!)
    expect(arena.borrow()).toBe(slabs[2])
    expect(arena.borrow()).toBe(slabs[0])
  })

  it('lends slabs from outside again when those of the arena are out', () => {
    const arena = new ByteArena({ slabBytes, slabCount: 1 })
    const inside = arena.borrow()
    const outside = arena.borrow()
    arena.release(outside)
    arena.release(inside)
    expect(arena.borrow()).toBe(inside)
    expect(arena.borrow()).toBe(outside)
  })
})
