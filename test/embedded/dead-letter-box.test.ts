// A message that becomes a dead letter and is handed out again is the message that it was.
import { describe, expect, it } from 'vitest'
import {
  orderKeyOf,
  readDeadLetter,
  restoreOriginal,
  writeDeadLetter,
} from '../../src/embedded/dead-letter-box.js'
import { StoredMessage, type BytesMessage } from '../../src/engine/index.js'
import { TopicTable } from '../../src/topic/index.js'
import { decodeHeaderBlock, encodeHeaderBlock } from '../../src/wire/index.js'

const topics = new TopicTable()
const original = { sequence: 7, timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6) }
const failure = {
  stream: 'orders',
  consumer: 'billing',
  reason: 'rejected' as const,
  error: 'negative\r\ntotal',
  attempts: 3,
}

function makeOriginal(fields: readonly (readonly [string, string])[]): StoredMessage {
  const message = new StoredMessage(topics.atName('order.placed'))
  const headers = fields.length === 0 ? new Uint8Array(0) : encodeHeaderBlock(fields)
  message.setParts(new Uint8Array(0), headers, new TextEncoder().encode('{"id":1}'))
  return Object.assign(message, original)
}

function store(letter: BytesMessage, sequence: number): StoredMessage {
  const message = new StoredMessage(letter.handle)
  message.setParts(new Uint8Array(0), letter.headerBlock, letter.body)
  return Object.assign(message, { sequence, timeMs: original.timeMs + 1_000 })
}

const address = topics.atName('$DEAD.orders.billing.order.placed')

describe('dead letters', () => {
  it('tell what failed, why, and how often it was tried', () => {
    const given = makeOriginal([
      ['CE-PartitionKey', 'customer-7'],
      ['Trace', 'abc'],
    ])
    const letter = readDeadLetter(store(writeDeadLetter(given, failure, address), 40))
    expect(letter).toMatchObject({
      sequence: 40,
      reason: 'rejected',
      error: 'negative total',
      attempts: 3,
      stream: 'orders',
      consumer: 'billing',
      topic: 'order.placed',
      originalSequence: 7,
      originalTimeMs: original.timeMs,
      key: 'customer-7',
    })
  })

  it('give the original back, without what was added', () => {
    const fields = [['Trace', 'abc']] as const
    const letter = store(writeDeadLetter(makeOriginal(fields), failure, address), 40)
    const restored = restoreOriginal(letter, (name) => topics.atName(name))
    expect(restored.handle.name).toBe('order.placed')
    expect(restored).toMatchObject(original)
    expect(decodeHeaderBlock(restored.headerBlock).fields).toEqual(fields)
    expect(new TextDecoder().decode(restored.body)).toBe('{"id":1}')
  })

  it('give back a message without headers as one', () => {
    const letter = store(writeDeadLetter(makeOriginal([]), failure, address), 40)
    expect(restoreOriginal(letter, (name) => topics.atName(name)).headerBytes).toBe(0)
  })

  it('say nothing of a message that is no letter', () => {
    expect(readDeadLetter(makeOriginal([]))).toBeUndefined()
    expect(readDeadLetter(makeOriginal([['Trace', 'abc']]))).toBeUndefined()
  })

  it('keep order by the key, which not every message has', () => {
    expect(orderKeyOf(makeOriginal([['ce-partitionkey', 'customer-7']]))).toBe('customer-7')
    expect(orderKeyOf(makeOriginal([['Trace', 'abc']]))).toBeUndefined()
    expect(orderKeyOf(makeOriginal([]))).toBeUndefined()
  })
})
