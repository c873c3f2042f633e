// Where reading begins, as people write it.
import { expect, it } from 'vitest'
import { isRelative, toStartPoint } from '../../src/broker/starting-point.js'

const nowMs = 1_700_000_000_000

it.each([
  ['first', { at: 'first' }],
  ['last', { at: 'last' }],
  ['new', { at: 'new' }],
  ['last-per-topic', { at: 'last-per-topic' }],
  [7, { at: 'sequence', sequence: 7 }],
  [new Date(5), { at: 'time', timeMs: 5 }],
  ['1h ago', { at: 'time', timeMs: nowMs - 3_600_000 }],
  ['250ms ago', { at: 'time', timeMs: nowMs - 250 }],
] as const)('reads %j', (from, point) => {
  expect(toStartPoint(from, nowMs)).toEqual(point)
})

it.each(['yesterday', '1 hour ago', 'ago', '', 0, -1, 1.5, new Date(NaN), null, undefined, {}])(
  'takes no %j',
  (from) => {
    expect(() => toStartPoint(from as never, nowMs)).toThrowError(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  },
)

it('knows which words mean another moment later', () => {
  expect(isRelative('1h ago')).toBe(true)
  for (const from of ['first', 7, new Date(5), undefined] as const) {
    expect(isRelative(from)).toBe(false)
  }
})
