// The clock that tests rely on: what it fires, when, and in which order.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'

describe('VirtualClock', () => {
  it('stands still until it is advanced, and dates both of its times alike', () => {
    const clock = new VirtualClock(1_000)
    expect([clock.nowMs(), clock.elapsedMs()]).toEqual([1_000, 0])
    clock.advance(250)
    expect([clock.nowMs(), clock.elapsedMs()]).toEqual([1_250, 250])
  })

  it('fires each timer at its own moment, those of one moment in the order they were started', () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    for (const [name, delayMs] of Object.entries({ c: 20, a: 10, b: 10 })) {
      clock.startTimer(delayMs, () => fired.push(`${name} at ${clock.elapsedMs()}`))
    }
    clock.startTimer(31, () => fired.push('too late'))
    clock.advance(30)
    expect(fired).toEqual(['a at 10', 'b at 10', 'c at 20'])
    expect(clock.elapsedMs()).toBe(30)
  })

  it('fires timers that a timer starts within the advance', () => {
    const clock = new VirtualClock()
    const fired: number[] = []
    const tick = (): void => {
      fired.push(clock.elapsedMs())
      clock.startTimer(10, tick)
    }
    clock.startTimer(10, tick)
    clock.advance(35)
    expect(fired).toEqual([10, 20, 30])
  })

  it('fires no cancelled timer', () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    const timer = clock.startTimer(10, () => fired.push('never'))
    timer.cancel()
    timer.cancel()
    clock.advance(20)
    expect(fired).toEqual([])
  })

  it('runs what was deferred, what that defers included, before time moves', () => {
    const clock = new VirtualClock()
    const ran: string[] = []
    clock.defer(() => {
      ran.push('first')
      clock.defer(() => ran.push('nested'))
    })
    clock.startTimer(0, () => ran.push('timer'))
    clock.advance(0)
    expect(ran).toEqual(['first', 'nested', 'timer'])
  })
})
