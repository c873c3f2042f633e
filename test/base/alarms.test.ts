// Many alarms on one timer, on a clock that stands still until it is moved.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Alarms, VirtualClock, type Timer } from '../../src/base/index.js'

class CountingClock extends VirtualClock {
  started = 0
  pending = 0

  override startTimer(delayMs: number, callback: () => void): Timer {
    this.started += 1
    this.pending += 1
    let isOver = false
    const finish = (): void => {
      if (!isOver) this.pending -= 1
      isOver = true
    }
    const timer = super.startTimer(delayMs, () => {
      finish()
      callback()
    })
    return {
      cancel() {
        finish()
        timer.cancel()
      },
    }
  }
}

describe('Alarms', () => {
  it('ring at their time, in order, and once', () => {
    const clock = new VirtualClock()
    const alarms = new Alarms(clock)
    const rung: string[] = []
    for (const delayMs of [30, 10, 20, 10]) {
      alarms.set(delayMs, () => rung.push(`${delayMs} at ${clock.elapsedMs()}`))
    }
    clock.advance(5)
    expect(rung).toEqual([])
    clock.advance(100)
    expect(rung).toEqual(['10 at 10', '10 at 10', '20 at 20', '30 at 30'])
    clock.advance(1_000)
    expect(rung).toHaveLength(4)
    expect(alarms.size).toBe(0)
  })

  it('do not ring once cancelled; cancelling twice, late, or nothing is harmless', () => {
    const clock = new VirtualClock()
    const alarms = new Alarms(clock)
    const rung: string[] = []
    const first = alarms.set(10, () => rung.push('first'))
    const second = alarms.set(20, () => rung.push('second'))
    alarms.cancel(first)
    alarms.cancel(first)
    alarms.cancel(undefined)
    clock.advance(100)
    alarms.cancel(second)
    expect(rung).toEqual(['second'])
  })

  it('may be set and cancelled by an alarm that rings', () => {
    const clock = new VirtualClock()
    const alarms = new Alarms(clock)
    const rung: number[] = []
    const repeat = (): void => {
      rung.push(clock.elapsedMs())
      alarms.cancel(victim)
      if (rung.length < 4) alarms.set(10, repeat)
    }
    alarms.set(10, repeat)
    const victim = alarms.set(25, () => rung.push(-1))
    clock.advance(1_000)
    expect(rung).toEqual([10, 20, 30, 40])
  })

  it('ring a nested alarm that is sooner than the next one', () => {
    const clock = new VirtualClock()
    const alarms = new Alarms(clock)
    const rung: string[] = []
    alarms.set(100, () => rung.push('late'))
    alarms.set(10, () => alarms.set(10, () => rung.push('nested')))
    clock.advance(50)
    expect(rung).toEqual(['nested'])
    clock.advance(50)
    expect(rung).toEqual(['nested', 'late'])
  })

  it('ring in time although an alarm that rings sets a later one', () => {
    const clock = new CountingClock()
    const alarms = new Alarms(clock)
    const rung: string[] = []
    alarms.set(10, () => {
      rung.push('first')
      alarms.set(120_000, () => rung.push('late'))
    })
    alarms.set(12, () => rung.push('second'))
    clock.advance(50)
    expect(rung).toEqual(['first', 'second'])
  })

  it('forget everything when closed', () => {
    const clock = new CountingClock()
    const alarms = new Alarms(clock)
    const rung: string[] = []
    alarms.set(10, () => rung.push('never'))
    alarms.set(20, () => rung.push('never'))
    alarms.close()
    expect(clock.pending).toBe(0)
    clock.advance(100)
    expect(rung).toEqual([])
  })

  it('ring within a millisecond of a model, with never more than one timer pending', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('set' as const), delayMs: fc.nat(50) }),
      fc.record({ type: fc.constant('cancel' as const), pick: fc.nat() }),
      fc.record({ type: fc.constant('advance' as const), durationMs: fc.nat(30) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const clock = new CountingClock()
        const alarms = new Alarms(clock)
        const handles: { alarm: ReturnType<Alarms['set']>; atMs: number }[] = []
        const isLive = new Set<number>()
        for (const one of steps) {
          if (one.type === 'set') {
            const atMs = clock.elapsedMs() + one.delayMs
            const index = handles.length
            isLive.add(index)
            const alarm = alarms.set(one.delayMs, () => {
              expect(isLive.delete(index)).toBe(true)
              // A millisecond early is allowed, as one system timer serves deadlines close to each other.
              expect(atMs - clock.elapsedMs()).toBeLessThanOrEqual(1)
              expect(atMs - clock.elapsedMs()).toBeGreaterThanOrEqual(0)
            })
            handles.push({ alarm, atMs })
          } else if (one.type === 'cancel') {
            const index = one.pick % Math.max(1, handles.length)
            alarms.cancel(handles[index]?.alarm)
            isLive.delete(index)
          } else clock.advance(one.durationMs)
          expect(clock.pending).toBeLessThanOrEqual(1)
          expect(alarms.size).toBe(isLive.size)
          for (const index of isLive) {
            expect(handles[index]!.atMs).toBeGreaterThanOrEqual(clock.elapsedMs())
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
