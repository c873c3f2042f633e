// Messages written in one pass hold the parts that went in, whatever their size and script.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeOpening, writeMessage } from '../../src/broker/message-writer.js'
import { BytesMessage } from '../../src/engine/index.js'
import { TopicTable } from '../../src/topic/index.js'
import { decodeHeaderBlock } from '../../src/wire/index.js'

const topic = new TopicTable().atName('a')
const name = fc.stringMatching(/^[A-Za-z-]{1,20}$/)
const value = fc.oneof(fc.stringMatching(/^[\x21-\x7e]{0,40}$/), fc.constant('grüße'))
const fields = fc.array(fc.tuple(name, value), { maxLength: 5 })
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 900, max: 20_000 }).map((length) => new Uint8Array(length).fill(length & 255)),
)

it('keeps every part of every message, those written before included', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          reply: fc.uint8Array({ maxLength: 20 }),
          first: fields,
          rest: fields,
          body: bytes,
          hasHeaders: fc.boolean(),
        }),
        { maxLength: 40 },
      ),
      (contents) => {
        const messages = contents.map(({ reply, first, rest, body, hasHeaders }) => {
          const message = new BytesMessage(topic)
          if (hasHeaders) writeMessage(message, reply, encodeOpening(first), rest, body)
          else writeMessage(message, reply, new Uint8Array(0), [], body)
          return message
        })
        messages.forEach((message, i) => {
          const { reply, first, rest, body, hasHeaders } = contents[i]!
          expect(message.buffer.slice(message.replyStart, message.replyEnd)).toEqual(reply)
          expect(message.body.slice()).toEqual(body)
          expect(message.headerBytes > 0).toBe(hasHeaders)
          if (hasHeaders) {
            expect(decodeHeaderBlock(message.headerBlock).fields).toEqual([...first, ...rest])
          }
        })
      },
    ),
  )
})
