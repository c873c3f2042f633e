// The key index against a Map, while keys come, go and are written and read back; and what growing must not disturb.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MutableKeyIndex } from '../../src/log/key-index.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Naive {
  count: number
  first: number
  last: number
}

const add = (index: MutableKeyIndex, key: string, sequence: number): number => {
  // In the middle of a buffer, as in a record.
  const bytes = encoder.encode(`..${key}..`)
  return index.add(bytes, 2, bytes.length - 2, sequence)
}

const slotOf = (index: MutableKeyIndex, key: string): number => {
  const bytes = encoder.encode(key)
  return index.slotOf(bytes, 0, bytes.length)
}

function contents(index: MutableKeyIndex): Record<string, Naive> {
  const found: Record<string, Naive> = {}
  index.forEach((key, { count, firstSequence, lastSequence }) => {
    const name = decoder.decode(key)
    expect(name in found).toBe(false)
    found[name] = { count, first: firstSequence, last: lastSequence }
  })
  return found
}

function restored(index: MutableKeyIndex, keysPerPiece?: number, seed = 99): MutableKeyIndex {
  const copy = new MutableKeyIndex(seed)
  for (const piece of index.pieces(keysPerPiece)) copy.addPiece(piece)
  return copy
}

/** Keys of many lengths, the empty one and neighbours in all but one byte among them. */
const keyName = fc.oneof(
  fc.nat(60).map((n) => 'key-'.repeat(n % 5) + String(n)),
  fc.constantFrom('', 'a', 'b', 'ab', 'abc', 'abcd', 'abce', 'abcde', 'x'.repeat(300)),
)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('add' as const), key: keyName }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('take' as const), key: keyName }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('restore' as const),
      keysPerPiece: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const) }) },
)

describe('MutableKeyIndex', () => {
  it('holds what a Map holds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), fc.nat(), (steps, seed) => {
        let index = new MutableKeyIndex(seed)
        const naive = new Map<string, Naive>()
        const slots = new Map<string, number>()
        let sequence = 0
        for (const one of steps) {
          if (one.type === 'add') {
            const before = naive.get(one.key)
            sequence += 1
            const slot = add(index, one.key, sequence)
            expect(index.previousLast).toBe(before?.last ?? 0)
            expect(slots.get(one.key) ?? slot).toBe(slot)
            slots.set(one.key, slot)
            const count = (before?.count ?? 0) + 1
            naive.set(one.key, { count, first: before?.first ?? sequence, last: sequence })
          } else if (one.type === 'take') {
            const slot = slotOf(index, one.key)
            expect(slot).toBe(slots.get(one.key) ?? -1)
            const before = naive.get(one.key)
            if (before === undefined) continue
            expect(index.take(slot)).toBe(before.count - 1)
            before.count -= 1
            before.first += 0.5
            if (before.count > 0) index.setFirst(slot, before.first)
            else {
              naive.delete(one.key)
              slots.delete(one.key)
            }
          } else if (one.type === 'restore') {
            index = restored(index, one.keysPerPiece)
            for (const key of naive.keys()) slots.set(key, slotOf(index, key))
          } else {
            index.clear()
            naive.clear()
            slots.clear()
          }
          expect(index.size).toBe(naive.size)
        }
        for (const [key, { count, first, last }] of naive) {
          const slot = slots.get(key)!
          expect(decoder.decode(index.keyAt(slot))).toBe(key)
          expect([index.countAt(slot), index.firstAt(slot), index.lastAt(slot)]).toEqual([
            count,
            first,
            last,
          ])
        }
        const expected = [...naive].map(([key, { count, first, last }]) => [
          key,
          { count, first: Math.ceil(first), last },
        ])
        expect(contents(index)).toEqual(Object.fromEntries(expected))
      }),
      { numRuns: 200 },
    )
  })

  it('finds every key and keeps every slot while it grows over many parts and chunks', () => {
    const index = new MutableKeyIndex(5)
    const keys = Array.from({ length: 40_000 }, (_, i) => `orders.customer-${i}.created`)
    const slots = keys.map((key, i) => add(index, key, i + 1))
    expect(new Set(slots).size).toBe(keys.length)
    const wrong = keys.filter((key, i) => {
      const slot = slotOf(index, key)
      return (
        slot !== slots[i] ||
        decoder.decode(index.keyAt(slot)) !== key ||
        index.firstAt(slot) !== i + 1
      )
    })
    expect(wrong).toEqual([])
    expect(slotOf(index, 'orders.customer-40000.created')).toBe(-1)
    expect(contents(restored(index))).toEqual(contents(index))
  })

  it('takes at most 80 bytes and its own for each key', () => {
    const index = new MutableKeyIndex()
    let keyBytes = 0
    // Just after parts and chunks have grown they are emptiest.
    for (let i = 0; i < 100_000; i++) {
      const key = `key.${i}`
      keyBytes += key.length
      add(index, key, i + 1)
      if (i > 10_000 && i % 1000 === 0) {
        expect(index.allocatedBytes).toBeLessThan(80 * index.size + keyBytes)
      }
    }
  })

  it('is small while it holds a few keys', () => {
    const index = new MutableKeyIndex()
    for (let i = 0; i < 10; i++) add(index, `key.${i}`, i + 1)
    expect(index.allocatedBytes).toBeLessThan(2048)
  })

  it('gives the space of removed keys to new ones', () => {
    const index = new MutableKeyIndex()
    const addAndTake = (round: number): void => {
      for (let i = 0; i < 5000; i++) add(index, `${round}-${i}`.padEnd(20 + (i % 7)), i + 1)
      if (round === 0) return
      for (let i = 0; i < 5000; i++) {
        index.take(slotOf(index, `${round - 1}-${i}`.padEnd(20 + (i % 7))))
      }
    }
    for (let round = 0; round < 3; round++) addAndTake(round)
    const bytes = index.allocatedBytes
    for (let round = 3; round < 20; round++) addAndTake(round)
    expect(index.size).toBe(5000)
    expect(index.allocatedBytes).toBe(bytes)
  })

  it('gives all memory back when the last key goes', () => {
    const index = new MutableKeyIndex()
    const empty = index.allocatedBytes
    for (let i = 0; i < 20_000; i++) add(index, `key.${i}`, i + 1)
    for (let i = 0; i < 20_000; i++) index.take(slotOf(index, `key.${i}`))
    expect(index.allocatedBytes).toBe(empty)
    add(index, 'again', 1)
    expect(contents(index)).toEqual({ again: { count: 1, first: 1, last: 1 } })
  })

  it('holds keys of the greatest length', () => {
    const index = new MutableKeyIndex()
    const keys = Array.from({ length: 12 }, (_, i) => String(i).padEnd(65_535 - i, 'x'))
    const slots = keys.map((key, i) => add(index, key, i + 1))
    slots.forEach((slot, i) => expect(decoder.decode(index.keyAt(slot))).toBe(keys[i]))
    expect(contents(restored(index, 5))).toEqual(contents(index))
  })

  it('keeps sequences beyond 32 bits and fractions exactly', () => {
    const index = new MutableKeyIndex()
    const slot = add(index, 'a', 2 ** 52)
    add(index, 'a', 2 ** 52 + 1)
    index.setFirst(slot, 2 ** 40 + 0.25)
    index.setLast(slot, 2 ** 41 - 0.5)
    expect(index.find(encoder.encode('a'))).toEqual({
      count: 2,
      firstSequence: 2 ** 40 + 1,
      lastSequence: 2 ** 41 - 1,
    })
    const copy = restored(index)
    expect(copy.firstAt(slotOf(copy, 'a'))).toBe(2 ** 40 + 0.25)
    expect(copy.lastAt(slotOf(copy, 'a'))).toBe(2 ** 41 - 0.5)
  })

  it('lists in slices, each key once, while others come and go', () => {
    const index = new MutableKeyIndex()
    for (let i = 0; i < 1000; i++) add(index, `key.${i}`, i + 1)
    const seen: string[] = []
    let slices = 0
    for (let slot = 0; slot >= 0; slices++) {
      slot = index.visitSlice(slot, 100, (found) => seen.push(decoder.decode(index.keyAt(found))))
      index.take(slotOf(index, `key.${slices * 7}`))
      add(index, `late.${slices}`, 2000 + slices)
    }
    expect(slices).toBeGreaterThanOrEqual(10)
    expect(new Set(seen).size).toBe(seen.length)
    const stayed = Object.keys(contents(index)).filter((key) => key.startsWith('key.'))
    expect(seen).toEqual(expect.arrayContaining(stayed))
  })

  it('stops a listing when the visitor says so', () => {
    const index = new MutableKeyIndex()
    for (let i = 0; i < 10; i++) add(index, `key.${i}`, i + 1)
    let visits = 0
    index.forEach(() => ++visits < 3)
    expect(visits).toBe(3)
  })

  it('adds pieces to the keys that are there, of any seed and at any place in a buffer', () => {
    for (const seed of [1, 2]) {
      const index = new MutableKeyIndex(1)
      add(index, 'a', 1)
      add(index, 'b', 2)
      const later = new MutableKeyIndex(seed)
      for (const [key, sequence] of [
        ['b', 3],
        ['c', 4],
        ['b', 5],
      ] as const)
        add(later, key, sequence)
      for (const piece of later.pieces()) {
        const buffer = new Uint8Array(piece.length + 3)
        buffer.set(piece, 3)
        index.addPiece(buffer.subarray(3))
      }
      expect(contents(index)).toEqual({
        a: { count: 1, first: 1, last: 1 },
        b: { count: 3, first: 2, last: 5 },
        c: { count: 1, first: 4, last: 4 },
      })
      expect(slotOf(index, 'c')).toBeGreaterThanOrEqual(0)
    }
  })

  it('finds keys again after it took over the seed of what it read', () => {
    const index = new MutableKeyIndex(1)
    for (let i = 0; i < 100; i++) add(index, `key.${i}`, i + 1)
    const copy = restored(index, 10, 2)
    for (let i = 0; i < 100; i++) expect(add(copy, `key.${i}`, 1000 + i)).toBeGreaterThanOrEqual(0)
    expect(copy.size).toBe(100)
  })

  it('refuses a piece whose lengths do not fit, and takes nothing of it', () => {
    const index = new MutableKeyIndex()
    for (const key of ['a', 'bc', 'def']) add(index, key, 1)
    const [piece] = [...index.pieces()]
    const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.subarray(0, bytes.length - 1),
      (bytes) => bytes.subarray(0, 8),
      () => new Uint8Array(0),
      (bytes) => bytes.fill(0xff, 4, 8),
      (bytes) => bytes.fill(0xff, 8, 12),
      (bytes) => bytes.fill(0, 32, 36),
      (bytes) => bytes.fill(0xff, 40, 44),
      (bytes) => bytes.fill(0xff, 44, 48),
    ]
    for (const damage of damages) {
      const target = new MutableKeyIndex()
      expect(() => target.addPiece(damage(piece!.slice()))).toThrowError(
        expect.objectContaining({ code: 'LOG_DAMAGED' }) as Error,
      )
      expect(target.size).toBe(0)
    }
  })
})
