// Pings and the end of silent peers, on a clock that the test moves.
import { describe, expect, it } from 'vitest'
import { Alarms, VirtualClock } from '../../src/base/index.js'
import { Liveness } from '../../src/server/liveness.js'

function makeLiveness() {
  const clock = new VirtualClock()
  const alarms = new Alarms(clock)
  const log: string[] = []
  const limits = { pingIntervalMs: 10_000, maxPingsOutstanding: 2 }
  const liveness = new Liveness(
    { clock, alarms, limits },
    {
      sendPing: (line) =>
        void log.push(`${Buffer.from(line).toString().trim()} at ${clock.elapsedMs()}`),
      stale: () => void log.push(`stale at ${clock.elapsedMs()}`),
    },
  )
  liveness.start()
  return { clock, alarms, liveness, log }
}

describe('Liveness', () => {
  it('pings soon after the start, then every interval, and ends who never answers', () => {
    const { clock, log } = makeLiveness()
    clock.advance(100_000)
    expect(log).toEqual(['PING at 2000', 'PING at 12000', 'stale at 22000'])
  })

  it('measures the round trip and goes on pinging a silent peer that answers', () => {
    const { clock, liveness, log } = makeLiveness()
    for (let i = 0; i < 4; i++) {
      clock.advance(i === 0 ? 2_000 : 9_970)
      clock.advance(30)
      liveness.sawPong()
      expect(liveness.roundTripMs).toBe(30)
    }
    expect(log.filter((line) => line.startsWith('PING'))).toHaveLength(4)
    expect(log.some((line) => line.startsWith('stale'))).toBe(false)
  })

  it('does not ping a peer that talks once its round trip is known', () => {
    const { clock, liveness, log } = makeLiveness()
    clock.advance(2_000)
    liveness.sawPong()
    for (let i = 0; i < 10; i++) {
      liveness.sawInput()
      clock.advance(10_000)
    }
    expect(log).toEqual(['PING at 2000'])
  })

  it('ignores a PONG that nobody asked for, and does nothing after stop', () => {
    const { clock, alarms, liveness, log } = makeLiveness()
    liveness.sawPong()
    expect(liveness.roundTripMs).toBeUndefined()
    liveness.stop()
    expect(alarms.size).toBe(0)
    clock.advance(100_000)
    expect(log).toEqual([])
  })
})
