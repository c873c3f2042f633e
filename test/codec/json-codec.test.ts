// The JSON codec's bodies share memory: none may change when others are made.
import { describe, expect, it } from 'vitest'
import { jsonCodec } from '../../src/codec/index.js'

describe('jsonCodec', () => {
  it('keeps each body as it was, whatever is encoded after it', () => {
    const values = Array.from({ length: 2_000 }, (_, index) => ({
      index,
      text: ['plain', 'größer', '値段', '🚀'][index % 4]!.repeat(index % 60),
    }))
    const bodies = values.map((value) => jsonCodec.encode(value))
    expect(bodies.map((body) => jsonCodec.decode(body))).toEqual(values)
  })

  it('takes texts around the length from which they have memory of their own', () => {
    for (const length of [1_021, 1_022, 1_023, 1_024, 20_000]) {
      const text = '値'.repeat(length)
      expect(jsonCodec.decode(jsonCodec.encode(text))).toBe(text)
    }
  })

  it('writes an absent value as an empty body', () => {
    expect(jsonCodec.encode(undefined)).toHaveLength(0)
    expect(jsonCodec.decode(jsonCodec.encode(undefined))).toBeUndefined()
  })
})
