// What a header block says of its body, found in one pass, is what decoding every field would find.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeHeaderBlock, encodeHeaderBlock, readBodyHeaders } from '../../src/wire/index.js'

const name = fc.oneof(
  fc.constantFrom(
    'ce-datacontenttype',
    'CE-DataContentType',
    'content-type',
    'Content-Type',
    'Content-Encoding',
    'content-encodings',
    'ce-type',
    'c',
  ),
  fc.stringMatching(/^[A-Za-z-]{1,20}$/),
)
const value = fc.oneof(
  fc.constantFrom('application/json', 'application/json; charset=utf-8', 'gzip', ''),
  fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
  fc.constant('größe'),
)

it('finds what decoding finds, in any case, the first of a name, spaces around it taken off', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (fields) => {
      const block = encodeHeaderBlock(fields)
      const decoded = decodeHeaderBlock(block).fields
      const find = (wanted: string) => decoded.find(([key]) => key.toLowerCase() === wanted)?.[1]
      expect(readBodyHeaders(block)).toEqual({
        dataContentType: find('ce-datacontenttype'),
        contentType: find('content-type'),
        contentEncoding: find('content-encoding'),
      })
    }),
  )
})

it('is content with blocks that end anywhere', () => {
  const block = encodeHeaderBlock([
    ['Content-Type', 'text/plain'],
    ['Content-Encoding', 'gzip'],
  ])
  for (let length = 0; length <= block.length; length++) {
    const { contentEncoding = '' } = readBodyHeaders(block.subarray(0, length))
    expect('gzip'.startsWith(contentEncoding)).toBe(true)
  }
})
