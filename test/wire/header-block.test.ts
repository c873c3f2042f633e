// Header blocks keep names, values and their order, and nothing in a value can break out of its line.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeaderBlock, encodeHeaderBlock } from '../../src/wire/index.js'

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
  .filter((text) => !/[:\s]/.test(text))
/** White space around a value belongs to the notation. */
const value = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((text) => text.replace(/[\r\n]/g, '').trim())

const decode = (text: string) => decodeHeaderBlock(new TextEncoder().encode(text))

describe('header block', () => {
  it('comes back as it was encoded: names in their case, repeated names, order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (fields) => {
        const {
          status,
          description,
          fields: decoded,
        } = decodeHeaderBlock(encodeHeaderBlock(fields))
        expect(decoded).toEqual(fields)
        expect({ status, description }).toEqual({ status: 0, description: '' })
      }),
    )
  })

  it('is written as the protocol wants it', () => {
    const block = encodeHeaderBlock([
      ['A', '1'],
      ['a', ''],
    ])
    expect(new TextDecoder().decode(block)).toBe('NATS/1.0\r\nA: 1\r\na: \r\n\r\n')
    expect(new TextDecoder().decode(encodeHeaderBlock([]))).toBe('NATS/1.0\r\n\r\n')
  })

  it.each([
    ['', 'x'],
    ['a:b', 'x'],
    ['a b', 'x'],
    ['a\r', 'x'],
    ['a', 'x\r\nInjected: 1'],
    ['a', 'x\ny'],
  ])('refuses name %j with value %j', (badName, badValue) => {
    expect(() => encodeHeaderBlock([[badName, badValue]])).toThrow(
      expect.objectContaining({ code: 'HEADER_INVALID' }),
    )
  })

  it('reads status and description', () => {
    expect(decode('NATS/1.0 503\r\n\r\n')).toMatchObject({
      status: 503,
      description: '',
      fields: [],
    })
    expect(decode('NATS/1.0 100 Idle Heartbeat\r\nA: b\r\n\r\n')).toEqual({
      status: 100,
      description: 'Idle Heartbeat',
      fields: [['A', 'b']],
    })
  })

  it('passes over what is no field, and reads foreign spellings', () => {
    expect(
      decode('NATS/1.0\r\nA:no space\r\nnonsense\r\n: no name\r\nB:  x:y  \r\n\r\n').fields,
    ).toEqual([
      ['A', 'no space'],
      ['B', 'x:y'],
    ])
    expect(decode('').fields).toEqual([])
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeHeaderBlock(bytes)),
    )
  })
})
