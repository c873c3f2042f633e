// The table where hashes are worst: equal, equal in the bits that choose a part, and equal in those that choose a bucket.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyArena } from '../../src/log/key-arena.js'
import { KeyRows } from '../../src/log/key-rows.js'
import { SlotTable } from '../../src/log/slot-table.js'

/** A table whose keys say their hash themselves. */
class Fixture {
  readonly rows = new KeyRows()
  readonly arena = new KeyArena()
  readonly table = new SlotTable(this.rows, this.arena)

  static bytesOf(key: number): Uint8Array {
    return Uint8Array.of(key & 255, (key >>> 8) & 255, (key >>> 16) & 255)
  }

  insert(key: number, hash: number): number {
    const slot = this.rows.take(hash, this.arena.store(Fixture.bytesOf(key), 0, 3), 3, 1)
    this.table.insert(hash, slot)
    return slot
  }

  find(key: number, hash: number): number {
    return this.table.find(hash, Fixture.bytesOf(key), 0, 3)
  }
}

const hashes = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x7fffffff, -0x80000000),
  fc.nat(15).map((n) => (n << 28) | 0),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
)

describe('SlotTable', () => {
  it('finds what was inserted and not removed, whatever the hashes', () => {
    const step = fc.tuple(fc.nat(40), fc.boolean())
    fc.assert(
      fc.property(
        fc.array(hashes, { minLength: 41, maxLength: 41 }),
        fc.array(step, { maxLength: 200, size: 'max' }),
        (hashOf, steps) => {
          const fixture = new Fixture()
          const slots = new Map<number, number>()
          for (const [key, isInsert] of steps) {
            const slot = slots.get(key)
            if (isInsert && slot === undefined) slots.set(key, fixture.insert(key, hashOf[key]!))
            else if (!isInsert && slot !== undefined) {
              fixture.table.remove(hashOf[key]!, slot)
              slots.delete(key)
            }
            hashOf.forEach((hash, other) => {
              expect(fixture.find(other, hash)).toBe(slots.get(other) ?? -1)
            })
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  it.each([
    ['in the bits that choose a part', (i: number) => (i << 20) | 5],
    ['in the bits that choose a bucket', (i: number) => i],
    ['in all bits', () => 7],
  ])('holds thousands of keys whose hashes are equal %s', (_, hashOf) => {
    const fixture = new Fixture()
    const slots = Array.from({ length: 4000 }, (_, key) => fixture.insert(key, hashOf(key)))
    expect(slots.filter((slot, key) => fixture.find(key, hashOf(key)) !== slot)).toEqual([])
    for (let key = 0; key < 4000; key += 2) fixture.table.remove(hashOf(key), slots[key]!)
    const found = slots.map((_, key) => fixture.find(key, hashOf(key)))
    expect(found).toEqual(slots.map((slot, key) => (key % 2 === 0 ? -1 : slot)))
  })
})
