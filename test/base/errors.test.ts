// The one error class, also across two copies of the package.
import { describe, expect, it, vi } from 'vitest'
import { assert, FanfareError } from '../../src/base/index.js'

describe('FanfareError', () => {
  it('carries code, details, cause and whether to try again', () => {
    const cause = new Error('below')
    const error = new FanfareError('TIMEOUT', 'no answer', {
      retryable: true,
      details: { topic: 'a' },
      cause,
    })
    expect(error).toMatchObject({
      name: 'FanfareError',
      code: 'TIMEOUT',
      message: 'no answer',
      retryable: true,
      details: { topic: 'a' },
      cause,
    })
    expect(error).toBeInstanceOf(Error)
    expect(new FanfareError('CLOSED', 'x')).toMatchObject({ retryable: false, details: {} })
    expect('cause' in new FanfareError('CLOSED', 'x')).toBe(false)
  })

  it('is recognised when another copy of the package made it', async () => {
    vi.resetModules()
    const other = await import('../../src/base/errors.js')
    const foreign = new other.FanfareError('CLOSED', 'from the other copy')
    expect(foreign).not.toBeInstanceOf(FanfareError)
    expect(FanfareError.is(foreign)).toBe(true)
    expect(other.FanfareError.is(new FanfareError('CLOSED', 'x'))).toBe(true)
  })

  it.each([new Error('x'), { code: 'CLOSED' }, null, undefined, 'CLOSED', 7])(
    'does not take %s for one of ours',
    (value) => {
      expect(FanfareError.is(value)).toBe(false)
    },
  )

  it('tells a broken invariant', () => {
    expect(() => assert(true, 'holds')).not.toThrow()
    expect(() => assert(0, 'the ring is a power of two')).toThrow(
      expect.objectContaining({
        code: 'INTERNAL',
        message: expect.stringContaining('power of two'),
      }),
    )
  })
})
