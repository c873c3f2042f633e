// Which codec reads what a message says that it is.
import { describe, expect, it } from 'vitest'
import { bytesCodec, Codecs, jsonCodec, textCodec, type Codec } from '../../src/codec/index.js'

const shout: Codec = {
  contentType: 'application/x-shout',
  encode: (value) => new TextEncoder().encode(String(value).toUpperCase()),
  decode: (bytes) => new TextDecoder().decode(bytes),
}

describe('Codecs', () => {
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
    expect(new Codecs(jsonCodec, [shout]).find(contentType)).toBe(codec)
  })

  it('lets the codec that writes count before a built-in one of the same type', () => {
    const own: Codec = { ...jsonCodec }
    const codecs = new Codecs(own)
    expect(codecs.find('application/json')).toBe(own)
    expect(codecs.find('application/problem+json')).toBe(own)
    expect(codecs.preferring(shout).preferred).toBe(shout)
    expect(codecs.preferring(shout).find('application/json')).toBe(own)
  })

  it('remembers the content types of strangers up to a bound, and goes on finding the others', () => {
    const codecs = new Codecs(jsonCodec)
    for (let i = 0; i < 2_000; i++) expect(codecs.find(`application/x-${i}`)).toBeUndefined()
    expect(codecs.find('text/plain')).toBe(textCodec)
  })
})
