// CloudEvents in structured mode, by the JSON event format.
import { describe, expect, it } from 'vitest'
import { isStructured, jsonCodec, StructuredEvent } from '../../src/codec/index.js'

const codecs = { preferred: jsonCodec, others: [] }
const parse = (event: unknown, contentType = 'application/cloudevents+json') =>
  StructuredEvent.parse(new TextEncoder().encode(JSON.stringify(event)), contentType)

describe('a structured event', () => {
  it.each([
    ['application/cloudevents+json', true],
    ['Application/CloudEvents', true],
    ['application/cloudevents+json; charset=UTF-8', true],
    ['application/cloudevents+xml', true],
    ['application/cloudevents-batch+json', false],
    ['application/json', false],
  ])('%s says so: %s', (contentType, expected) => {
    expect(isStructured(contentType)).toBe(expected)
  })

  it('has its attributes as text, null and objects as absent', () => {
    const event = parse({ id: '1', count: 5, flag: true, unset: null, odd: {}, data: 1 })
    expect(
      ['id', 'count', 'flag', 'unset', 'odd', 'toString'].map((n) => event.attribute(n)),
    ).toEqual(['1', '5', 'true', undefined, undefined, undefined])
    expect(event.names).toEqual(['id', 'count', 'flag', 'unset', 'odd'])
  })

  it.each([
    [{ data: { a: 1 } }, { a: 1 }],
    [{ data: 'a text' }, 'a text'],
    [{ data: '{"not":"parsed"}', datacontenttype: 'application/json' }, '{"not":"parsed"}'],
    [{ data: null }, null],
    [{}, undefined],
    [{ data: 'plain', datacontenttype: 'text/plain' }, 'plain'],
    [{ data_base64: 'eyJhIjoxfQ==', datacontenttype: 'application/json' }, { a: 1 }],
    [{ data_base64: 'AQI=', datacontenttype: 'application/octet-stream' }, Uint8Array.of(1, 2)],
  ])('has the data of %j', (event, data) => {
    expect(parse(event).decodeData(codecs, undefined)).toEqual(data)
  })

  it.each([
    { data: '<a/>', datacontenttype: 'application/xml' },
    { data: 5, datacontenttype: 'text/plain' },
    { data_base64: '!', datacontenttype: 'text/plain' },
    { data_base64: 'AQI=', datacontenttype: 'application/json' },
  ])('refuses the data of %j by a code', (event) => {
    expect(() => parse(event).decodeData(codecs, undefined)).toThrow(
      expect.objectContaining({ code: 'DECODE_FAILED' }),
    )
  })

  it.each([[[1]], ['text'], [null]])('refuses %j, which is no event', (body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'DECODE_FAILED' }))
  })

  it('refuses formats other than JSON', () => {
    expect(() => parse({}, 'application/cloudevents+xml')).toThrow(
      expect.objectContaining({ code: 'DECODE_FAILED' }),
    )
  })
})
