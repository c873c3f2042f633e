// Libraries that know nothing of Fanfare as codecs: MessagePack and CBOR.
import { decode as decodeMessagePack, encode as encodeMessagePack } from '@msgpack/msgpack'
import { decode as decodeCbor, encode as encodeCbor } from 'cborg'
import { describe, expect, it } from 'vitest'
import { openBroker, type Codec } from '../../src/broker/index.js'
import { decodeBody, encodeBody } from '../../src/codec/index.js'

const messagePack: Codec = {
  contentType: 'application/vnd.msgpack',
  encode: encodeMessagePack,
  decode: decodeMessagePack,
}
const cbor: Codec = { contentType: 'application/cbor', encode: encodeCbor, decode: decodeCbor }

const value = { id: 7, bytes: Uint8Array.of(1, 2, 3), text: 'größer', list: [null, true, -1.5] }

describe.each([
  ['MessagePack', messagePack],
  ['CBOR', cbor],
])('%s as a codec', (_, codec) => {
  it('keeps what JSON would lose', () => {
    expect(decodeBody(codec, encodeBody(codec, value))).toEqual(value)
  })

  it('turns what the library throws into a code, the cause kept', () => {
    expect(() => decodeBody(codec, Uint8Array.of(0xc1, 0xff))).toThrow(
      expect.objectContaining({ code: 'DECODE_FAILED', cause: expect.any(Error) as Error }),
    )
    expect(() => encodeBody(codec, { unencodable: () => 1 })).toThrow(
      expect.objectContaining({ code: 'ENCODE_FAILED' }),
    )
  })

  it('writes what a stream keeps, and reads it by its content type', async () => {
    const broker = await openBroker({ codec })
    const orders = await broker.stream('orders', { topics: ['order.>'] })
    await broker.publish('order.placed', value, { id: '1' })
    const stored = (await orders.get(1))!
    expect(stored.headers.get('ce-datacontenttype')).toBe(codec.contentType)
    expect(stored.data).toEqual(value)
    await broker.close()
  })
})
