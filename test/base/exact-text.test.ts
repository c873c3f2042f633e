// Text that stands for exactly its bytes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeExactly } from '../../src/base/index.js'

describe('decodeExactly', () => {
  it('gives back every text, a leading byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, hasMark) => {
        const whole = hasMark ? `\ufeff${text}` : text
        const bytes = new TextEncoder().encode(whole)
        expect(decodeExactly(bytes, 0, bytes.length)).toBe(whole)
      }),
    )
  })

  it('gives different texts for different bytes, whatever they are', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x61, 0xc3, 0xa4, 0xef, 0xbb, 0xbf, 0xed, 0xb2),
      fc.nat(255),
    )
    const bytes = fc.array(byte, { maxLength: 5 }).map((all) => Uint8Array.from(all))
    fc.assert(
      fc.property(bytes, bytes, (left, right) => {
        const isSame = Buffer.compare(left, right) === 0
        expect(decodeExactly(left, 0, left.length) === decodeExactly(right, 0, right.length)).toBe(
          isSame,
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads the range that it is given', () => {
    expect(decodeExactly(new TextEncoder().encode('xxhejxx'), 2, 5)).toBe('hej')
    expect(decodeExactly(new Uint8Array(3), 1, 1)).toBe('')
  })
})
