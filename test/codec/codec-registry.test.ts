// Which codec reads what a message says that it is.
import { describe, expect, it } from 'vitest'
import {
  bytesCodec,
  findCodec,
  jsonCodec,
  textCodec,
  withPreferred,
  type Codec,
} from '../../src/codec/index.js'

const shout: Codec = {
  contentType: 'application/x-shout',
  encode: (value) => new TextEncoder().encode(String(value).toUpperCase()),
  decode: (bytes) => new TextDecoder().decode(bytes),
}

describe('findCodec', () => {
  it.each([
    ['application/json', jsonCodec],
    ['Application/JSON; charset=utf-8', jsonCodec],
    ['application/vnd.shop.order+json', jsonCodec],
    ['text/plain;charset=UTF-8', textCodec],
    ['application/octet-stream', bytesCodec],
    ['application/x-shout', shout],
    ['application/xml', undefined],
    ['', undefined],
    ['__proto__', undefined],
  ])('finds the codec of %j', (contentType, codec) => {
    expect(findCodec({ preferred: jsonCodec, others: [shout] }, contentType)).toBe(codec)
  })

  it('lets the codec that writes count before a built-in one of the same type', () => {
    const own: Codec = { ...jsonCodec }
    const codecs = { preferred: own, others: [] }
    expect(findCodec(codecs, 'application/json')).toBe(own)
    expect(findCodec(codecs, 'application/problem+json')).toBe(own)
    expect(withPreferred(codecs, shout).preferred).toBe(shout)
    expect(findCodec(withPreferred(codecs, shout), 'application/json')).toBe(own)
  })

  it('remembers the content types of strangers up to a bound, and goes on finding the others', () => {
    const codecs = { preferred: jsonCodec, others: [] }
    for (let i = 0; i < 2_000; i++) expect(findCodec(codecs, `application/x-${i}`)).toBeUndefined()
    expect(findCodec(codecs, 'text/plain')).toBe(textCodec)
  })
})
