// How far ahead of its handlers a member asks.
import { describe, expect, it } from 'vitest'
import { CreditWindow } from '../../src/broker/credit-window.js'

function succeed(credit: CreditWindow, times: number, durationMs: number): void {
  for (let i = 0; i < times; i++) credit.succeeded(durationMs)
}

describe('CreditWindow', () => {
  it('asks for as many as there are handlers at first', () => {
    const credit = new CreditWindow(4)
    expect(credit.wanted(0)).toBe(4)
    expect(credit.wanted(3)).toBe(1)
    expect(credit.wanted(4)).toBe(0)
  })

  it('asks ahead, by one more after each success, in portions', () => {
    const credit = new CreditWindow(1)
    succeed(credit, 10, 0.1)
    expect(credit.wanted(0)).toBe(11)
    expect(credit.wanted(7)).toBe(0)
    expect(credit.wanted(5)).toBe(6)
  })

  it('asks ahead for 256 at most', () => {
    const credit = new CreditWindow(2)
    succeed(credit, 1_000, 0.001)
    expect(credit.wanted(0)).toBe(258)
  })

  it('asks ahead for what is worked off in 50 ms', () => {
    const credit = new CreditWindow(2)
    succeed(credit, 100, 10)
    expect(credit.wanted(0)).toBe(2 + 10)
    const slow = new CreditWindow(1)
    succeed(slow, 100, 1_000)
    expect(slow.wanted(0)).toBe(1)
  })

  it('asks for no more than the handlers take after a failure', () => {
    const credit = new CreditWindow(1)
    succeed(credit, 100, 0.1)
    credit.shrink()
    expect(credit.wanted(0)).toBe(1)
  })
})
