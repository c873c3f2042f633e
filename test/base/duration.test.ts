// Durations as people write them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toMilliseconds, type Duration } from '../../src/base/index.js'

describe('toMilliseconds', () => {
  it.each([
    [0, 0],
    [250, 250],
    [1.5, 1.5],
    ['250ms', 250],
    ['2s', 2_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ] as const)('takes %j for %d ms', (duration, milliseconds) => {
    expect(toMilliseconds(duration)).toBe(milliseconds)
  })

  it.each([-1, NaN, Infinity, '', '5', '5 s', '-5s', 's', '5sec', '1h30m', '5S', '1e3s', null, {}])(
    'refuses %j',
    (duration) => {
      expect(() => toMilliseconds(duration as Duration)).toThrow(
        expect.objectContaining({ code: 'DURATION_INVALID', details: { duration } }),
      )
    },
  )

  it('takes every whole number of every unit', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...Object.entries(units)), (count, [unit, size]) => {
        expect(toMilliseconds(`${count}${unit}` as Duration)).toBe(count * size)
      }),
    )
  })
})
