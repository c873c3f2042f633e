// The envelope: attributes as headers in ASCII, and back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAttribute, toCommonHeaders, toOwnHeaders } from '../../src/broker/cloud-event.js'
import { MessageHeaders } from '../../src/broker/message-headers.js'

const time = new Date('2026-01-02T03:04:05.678Z')
const common = toCommonHeaders({
  type: 'order.placed',
  kind: 'event',
  contentType: 'application/json',
  source: '/shop',
})

describe('the CloudEvents envelope', () => {
  it('holds what the binding requires', () => {
    expect([...common, ...toOwnHeaders('1', time.getTime())]).toEqual(
      expect.arrayContaining([
        ['ce-specversion', '1.0'],
        ['ce-id', '1'],
        ['ce-type', 'order.placed'],
        ['ce-time', '2026-01-02T03:04:05.678Z'],
        ['ce-datacontenttype', 'application/json'],
        ['ce-kind', 'event'],
      ]),
    )
  })

  it('brings any text through printable ASCII, percent signs and quotes included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (id, key) => {
        const fields = toOwnHeaders(id, time.getTime(), { key })
        for (const [, value] of fields) expect(value).toMatch(/^[\x21\x23-\x7e]*$/)
        const headers = new MessageHeaders(fields)
        expect(readAttribute(headers, 'id')).toBe(id)
        expect(readAttribute(headers, 'partitionkey')).toBe(key)
      }),
    )
  })

  it('reads foreign spellings, and values that are not percent-encoded', () => {
    const headers = MessageHeaders.from({ 'CE-Id': '100%', 'Ce-Type': 'a%20b' })
    expect(readAttribute(headers, 'id')).toBe('100%')
    expect(readAttribute(headers, 'type')).toBe('a b')
    expect(readAttribute(headers, 'subject')).toBeUndefined()
  })
})
