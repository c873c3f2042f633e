// What a publisher asks of a stream is found again in the headers of what was stored.
import { describe, expect, it } from 'vitest'
import {
  flagsOf,
  readDeliverAtMs,
  readId,
  readTtlMs,
  withPublishHeaders,
} from '../../src/embedded/publish-headers.js'
import { HAS_ID, HAS_TTL, IS_DELAYED } from '../../src/embedded/record-flags.js'
import { BytesMessage } from '../../src/engine/index.js'
import { TopicTable } from '../../src/topic/index.js'
import { decodeHeaderBlock, encodeHeaderBlock } from '../../src/wire/index.js'

const topics = new TopicTable()

function makeMessage(fields: readonly (readonly [string, string])[] = []): BytesMessage {
  const message = new BytesMessage(topics.atName('order.placed'))
  const headers = fields.length === 0 ? new Uint8Array(0) : encodeHeaderBlock(fields)
  message.setParts(new Uint8Array(0), headers, new TextEncoder().encode('{}'))
  return message
}

describe('publish headers', () => {
  it('adds what is missing, behind what is there', () => {
    const options = { id: 'order-1', ttlMs: 1_500, deliverAtMs: Date.UTC(2030, 0, 1) }
    const stored = withPublishHeaders(makeMessage([['Trace', 'abc']]), options)
    expect(decodeHeaderBlock(stored.headerBlock).fields).toEqual([
      ['Trace', 'abc'],
      ['Nats-Msg-Id', 'order-1'],
      ['Nats-TTL', '1500ms'],
      ['Nats-Schedule', '@at 2030-01-01T00:00:00.000Z'],
    ])
    expect(readId(stored)).toBe('order-1')
    expect(readTtlMs(stored)).toBe(1_500)
    expect(readDeliverAtMs(stored)).toBe(Date.UTC(2030, 0, 1))
    expect(new TextDecoder().decode(stored.body)).toBe('{}')
  })

  it('leaves a message as it is that has them, in any case', () => {
    const message = makeMessage([['nats-msg-id', 'order-1']])
    expect(withPublishHeaders(message, { id: 'order-1' })).toBe(message)
  })

  it('reads a time to live as seconds or as a duration', () => {
    const read = (text: string) => readTtlMs(makeMessage([['Nats-TTL', text]]))
    expect(read('5')).toBe(5_000)
    expect(read('1h30m')).toBe(5_400_000)
    expect(read('250ms')).toBe(250)
    expect(read('never')).toBeUndefined()
    expect(readTtlMs(makeMessage())).toBeUndefined()
  })

  it('reads no moment from a schedule that repeats', () => {
    const read = (text: string) => readDeliverAtMs(makeMessage([['Nats-Schedule', text]]))
    expect(read('@every 5m')).toBeUndefined()
    expect(read('@at nonsense')).toBeUndefined()
  })

  it('marks records by what they carry', () => {
    expect(flagsOf({}, 5)).toBe(0)
    expect(flagsOf({ id: 'a' }, 5)).toBe(HAS_ID)
    expect(flagsOf({ id: 'a', ttlMs: 1, deliverAtMs: 6 }, 5)).toBe(HAS_ID | HAS_TTL | IS_DELAYED)
    expect(flagsOf({ deliverAtMs: 5 }, 5)).toBe(0)
  })
})
