// The ring against an array.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedQueue } from '../../src/base/index.js'

describe('BoundedQueue', () => {
  it('behaves as an array that refuses what is over its capacity', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant('push' as const) },
      { weight: 4, arbitrary: fc.constant('shift' as const) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    )
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.array(step, { maxLength: 200, size: 'max' }),
        (capacity, steps) => {
          const queue = new BoundedQueue<number>(capacity)
          const model: number[] = []
          steps.forEach((one, i) => {
            if (one === 'push') {
              expect(queue.push(i)).toBe(model.length < capacity)
              if (model.length < capacity) model.push(i)
            } else if (one === 'shift') expect(queue.shift()).toBe(model.shift())
            else {
              queue.clear()
              model.length = 0
            }
            expect(queue.size).toBe(model.length)
            expect(queue.isFull).toBe(model.length >= capacity)
          })
        },
      ),
      { numRuns: 300 },
    )
  })
})
