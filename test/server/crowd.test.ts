// Who counts as behind but reading, on a clock that stands still until it is moved.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'
import { Crowd } from '../../src/server/crowd.js'

describe('Crowd', () => {
  it('adds up what waits for members over their mark that take something', () => {
    const clock = new VirtualClock()
    const crowd = new Crowd(clock)
    const members = [
      { isOverMark: true, pendingBytes: 100, takenCount: 1 },
      { isOverMark: true, pendingBytes: 20, takenCount: 1 },
      { isOverMark: false, pendingBytes: 3, takenCount: 1 },
    ]
    expect(crowd.pendingBytes(members)).toBe(120)
    clock.advance(99)
    expect(crowd.pendingBytes(members)).toBe(120)
  })

  it('leaves out a member that has taken nothing for a tenth of a second, until it takes something', () => {
    const clock = new VirtualClock()
    const crowd = new Crowd(clock)
    const stuck = { isOverMark: true, pendingBytes: 100, takenCount: 1 }
    const reading = { isOverMark: true, pendingBytes: 20, takenCount: 1 }
    crowd.pendingBytes([stuck, reading])
    clock.advance(100)
    reading.takenCount = 2
    expect(crowd.pendingBytes([stuck, reading])).toBe(20)
    stuck.takenCount = 2
    expect(crowd.pendingBytes([stuck, reading])).toBe(120)
  })
})
