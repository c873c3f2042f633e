// The heap against a sorted array, while deadlines are added, removed and taken.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeadlineHeap, type Deadline } from '../../src/base/index.js'

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), atMs: fc.nat(20) }) },
  fc.record({ type: fc.constant('remove' as const), pick: fc.nat() }),
  fc.record({ type: fc.constant('take' as const), nowMs: fc.nat(25) }),
)

describe('DeadlineHeap', () => {
  it('gives what a sorted array gives, equal deadlines in the order they were added', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const heap = new DeadlineHeap<number>()
        const sorted: Deadline<number>[] = []
        const everything: Deadline<number>[] = []
        steps.forEach((one, i) => {
          if (one.type === 'add') {
            const deadline = heap.add(one.atMs, i)
            everything.push(deadline)
            const place = sorted.findIndex(({ atMs }) => atMs > one.atMs)
            sorted.splice(place < 0 ? sorted.length : place, 0, deadline)
          } else if (one.type === 'remove') {
            // Also those that have left already: that must change nothing.
            const deadline = everything[one.pick % Math.max(1, everything.length)]
            if (deadline === undefined) return
            heap.remove(deadline)
            const place = sorted.indexOf(deadline)
            if (place >= 0) sorted.splice(place, 1)
          } else {
            const isDue = sorted.length > 0 && sorted[0]!.atMs <= one.nowMs
            expect(heap.takeDue(one.nowMs)).toBe(isDue ? sorted.shift() : undefined)
          }
          expect(heap.size).toBe(sorted.length)
          expect(heap.peek()).toBe(sorted[0])
        })
        while (sorted.length > 0) expect(heap.takeDue(Infinity)).toBe(sorted.shift())
      }),
      { numRuns: 300 },
    )
  })
})
