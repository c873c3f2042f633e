// The heap against a sorted list, and over the borders of its pages.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/base/index.js'
import { DueTimes } from '../../src/delivery/ledger/index.js'

describe('DueTimes', () => {
  it('gives what a sorted list gives, equal times in order of sequence', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ add: fc.nat(30), sequence: fc.nat(1000) }) },
      { weight: 2, arbitrary: fc.record({ take: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ removeFrom: fc.nat(1000) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const dueTimes = new DueTimes()
        let sorted: [atMs: number, sequence: number][] = []
        for (const one of steps) {
          if ('add' in one) {
            dueTimes.add(one.add, one.sequence)
            sorted.push([one.add, one.sequence])
            sorted.sort((a, b) => a[0] - b[0] || a[1] - b[1])
          } else if ('removeFrom' in one) {
            dueTimes.removeFrom(one.removeFrom)
            sorted = sorted.filter(([, sequence]) => sequence < one.removeFrom)
          } else {
            const isDue = sorted.length > 0 && sorted[0]![0] <= one.take
            expect(dueTimes.takeDue(one.take)).toBe(isDue ? sorted.shift()![1] : undefined)
          }
          expect(dueTimes.size).toBe(sorted.length)
          expect(dueTimes.nextAtMs).toBe(sorted[0]?.[0])
        }
      }),
      { numRuns: 200 },
    )
  })

  it('keeps its order over many pages, growing and shrinking', () => {
    const random = new SeededRandom(7)
    const dueTimes = new DueTimes()
    const atMs = Float64Array.from({ length: 150_000 }, () => 1e12 + random.nextUint32())
    for (let round = 0; round < 2; round++) {
      atMs.forEach((at, sequence) => dueTimes.add(at, sequence))
      let last = 0
      for (let left = atMs.length; left > 0; left--) {
        const at = dueTimes.nextAtMs!
        const sequence = dueTimes.takeDue(at)!
        if (at < last || atMs[sequence] !== at) throw new Error(`${sequence} came at ${at}`)
        last = at
      }
      expect(dueTimes.takeDue(Infinity)).toBeUndefined()
    }
  })
})
