// Who counts as behind but reading, on a clock that stands still until it is moved.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'
import { Crowd } from '../../src/server/crowd.js'

describe('Crowd', () => {
  it('adds up what waits for members that take something, and forgets who leaves', () => {
    const clock = new VirtualClock()
    const crowd = new Crowd(clock)
    const first = { pendingBytes: 100, takenCount: 1, fullness: 0 }
    const second = { pendingBytes: 20, takenCount: 1, fullness: 0 }
    crowd.join(first)
    crowd.join(second)
    expect(crowd.pendingBytes).toBe(120)
    clock.advance(99)
    expect(crowd.pendingBytes).toBe(120)
    crowd.leave(first)
    clock.advance(1)
    second.takenCount = 2
    expect(crowd.pendingBytes).toBe(20)
    crowd.leave(second)
    expect(crowd.pendingBytes).toBe(0)
  })

  it('leaves out a member that has taken nothing for a tenth of a second, until it takes something', () => {
    const clock = new VirtualClock()
    const crowd = new Crowd(clock)
    const stuck = { pendingBytes: 100, takenCount: 1, fullness: 0 }
    const reading = { pendingBytes: 20, takenCount: 1, fullness: 0 }
    crowd.join(stuck)
    crowd.join(reading)
    clock.advance(100)
    reading.takenCount = 2
    expect(crowd.pendingBytes).toBe(20)
    clock.advance(1)
    stuck.takenCount = 2
    expect(crowd.pendingBytes).toBe(120)
  })

  it('tells whether some member is close to its limit', () => {
    const crowd = new Crowd(new VirtualClock())
    crowd.join({ pendingBytes: 1, takenCount: 0, fullness: 0.5 })
    expect(crowd.hasFullerThan(0.75)).toBe(false)
    crowd.join({ pendingBytes: 1, takenCount: 0, fullness: 0.8 })
    expect(crowd.hasFullerThan(0.75)).toBe(true)
  })
})
