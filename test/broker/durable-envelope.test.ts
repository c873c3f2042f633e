// What streams keep of a message and what comes back: codecs, compression, both modes of CloudEvents, ids and flows, up to the
// dead letters.
import { AsyncLocalStorage } from 'node:async_hooks'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import {
  openBroker,
  type Broker,
  type BrokerOptions,
  type Message,
} from '../../src/broker/index.js'
import { BytesMessage } from '../../src/engine/index.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'

const brokers: Broker[] = []
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()))
})

async function open(options: BrokerOptions = {}) {
  const broker = await openBroker({ onEvent: () => undefined, ...options })
  brokers.push(broker)
  const orders = await broker.stream('orders', { topics: ['order.>'] })
  return { broker, orders }
}

/** Stores a message as a foreign publisher writes it. */
function publishRaw(
  { engine }: Broker,
  topic: string,
  body: string | Uint8Array,
  headers: readonly (readonly [string, string])[] = [],
): void {
  const message = new BytesMessage(engine.topic(topic))
  const block = headers.length === 0 ? new Uint8Array(0) : encodeHeaderBlock(headers)
  message.setParts(new Uint8Array(0), block, typeof body === 'string' ? Buffer.from(body) : body)
  engine.publish(message.handle, message)
}

const STRUCTURED = [['content-type', 'application/cloudevents+json']] as const
const structured = (event: object): string => JSON.stringify({ specversion: '1.0', ...event })

describe('compression of what is stored', () => {
  const long = (id: number, bytes: number) => ({
    id,
    text: 'all work and no play '.repeat(bytes / 21),
  })

  it('keeps small and large bodies in the order of their publishing, whoever compresses them', async () => {
    const { broker, orders } = await open({ compression: 'gzip' })
    const sizes = [10, 3_000_000, 10, 2_000, 200_000, 10, 1_000_000, 2_000]
    const receipts = await Promise.all(
      sizes.map((bytes, id) => broker.publish('order.placed', long(id, bytes))),
    )
    expect(receipts.map(({ sequence }) => sequence)).toEqual(sizes.map((_, i) => i + 1))
    const read: { id: number; text: string }[] = []
    for await (const { data, bytes, headers } of orders.read()) {
      read.push(data as (typeof read)[number])
      const isCompressed = headers.get('Content-Encoding') === 'gzip'
      expect(isCompressed).toBe(JSON.stringify(data).length >= 1_024)
      if (isCompressed) expect(bytes.length).toBeLessThan(JSON.stringify(data).length / 10)
    }
    expect(read).toEqual(sizes.map((bytes, id) => long(id, bytes)))
  })

  it('encodes at once what waits for the thread pool', async () => {
    const { broker, orders } = await open({ compression: { algorithm: 'brotli', threshold: 10 } })
    const data = long(1, 200_000)
    const published = broker.publish('order.placed', data)
    data.id = 2
    await published
    expect((await orders.get(1))!.data).toMatchObject({ id: 1 })
  })

  it('refuses what was aborted while it waited, and stores what was published before a close', async () => {
    const { broker, orders } = await open({ compression: 'gzip' })
    const controller = new AbortController()
    const { signal } = controller
    const first = broker.publish('order.placed', long(1, 500_000))
    const second = broker.publish('order.placed', 2, { signal })
    controller.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    await first
    expect((await orders.info()).messages).toBe(1)
    const last = broker.publish('order.placed', long(3, 500_000))
    await broker.close()
    expect((await last).sequence).toBe(2)
  })

  it('hands out decoded data, and keeps a bomb as a dead letter whose bytes can be read', async () => {
    const { broker, orders } = await open({ maxInflatedBytes: 10_000 })
    const encoding = [['Content-Encoding', 'gzip']] as const
    const bomb = gzipSync(Buffer.alloc(1_000_000))
    publishRaw(broker, 'order.placed', gzipSync('{"id":1}'), encoding)
    publishRaw(broker, 'order.placed', bomb, encoding)
    const seen: unknown[] = []
    await broker.consume('billing', 'order.placed', ({ data }) => void seen.push(data))
    await expect.poll(() => orders.deadLetters.count()).toBe(1)
    expect(seen).toEqual([{ id: 1 }])
    const [letter] = await orders.deadLetters.list()
    expect(letter).toMatchObject({ reason: 'undecodable', attempts: 1 })
    expect(letter!.error).toContain('10000')
    expect(letter!.message.bytes).toHaveLength(bomb.length)
    expect(() => letter!.message.data).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }),
    )
  })
})

describe('CloudEvents of others', () => {
  it('are consumed in structured mode, in order by the key in their bodies', async () => {
    const { broker, orders } = await open()
    for (const [id, key] of [
      ['1', 'größe'],
      ['2', 'b'],
      ['3', 'größe'],
    ] as const) {
      publishRaw(
        broker,
        'order.placed',
        structured({ id, type: 't', partitionkey: key, data: id }),
        STRUCTURED,
      )
    }
    // The same key in binary mode is percent-encoded.
    await broker.publish('order.placed', '4', { key: 'größe', id: '4' })
    const seen: string[] = []
    await broker.consume(
      'steps',
      'order.placed',
      ({ data }) => {
        if (data === '1') throw new Error('down')
        seen.push(data as string)
      },
      { order: 'key', concurrency: 4, retry: { attempts: 1 } },
    )
    await expect.poll(() => orders.deadLetters.count()).toBe(3)
    expect(seen).toEqual(['2'])
    expect(
      (await orders.deadLetters.list({ key: 'größe' })).map(({ message }) => message.data),
    ).toEqual(['1', '3', '4'])
    expect(
      (await orders.deadLetters.list({ key: 'größe' })).map(({ message }) => message.key),
    ).toEqual(['größe', 'größe', 'größe'])
  })

  it('keep one id over hand-outs, readings and their dead letter, also where they have none', async () => {
    const { broker, orders } = await open()
    publishRaw(broker, 'order.placed', '1')
    const ids: string[] = []
    await broker.consume(
      'billing',
      'order.placed',
      ({ id }) => {
        ids.push(id)
        throw new Error('down')
      },
      { retry: { attempts: 2, backoff: 1 } },
    )
    await expect.poll(() => orders.deadLetters.count()).toBe(1)
    const [letter] = await orders.deadLetters.list()
    const read = await orders.get(1)
    expect(new Set([...ids, read!.id, letter!.message.id]).size).toBe(1)
    expect(ids).toHaveLength(2)
  })
})

describe('the flow of messages', () => {
  it('goes on through what a handler publishes in its transaction, and with cause', async () => {
    const { broker, orders } = await open()
    await broker.consume('payer', 'order.placed', (_message, tx) => tx.publish('order.paid', 1), {
      delivery: 'exactly-once',
    })
    await broker.consume('shipper', 'order.paid', async (message) => {
      await broker.publish('order.shipped', 1, { cause: message, id: 'shipped' })
    })
    await broker.publish('order.placed', 1, {
      id: 'placed',
      correlationId: 'flow',
      headers: { traceparent: '00-abc-def-01' },
    })
    await expect.poll(async () => (await orders.info()).messages).toBe(3)
    const [, paid, shipped] = await Promise.all([1, 2, 3].map((sequence) => orders.get(sequence)))
    expect([paid!.correlationId, paid!.causationId]).toEqual(['flow', 'placed'])
    expect([shipped!.correlationId, shipped!.causationId]).toEqual(['flow', paid!.id])
    expect(shipped!.headers.get('traceparent')).toBe('00-abc-def-01')
  })

  it('is taken from a storage where one is given, over what a handler awaits', async () => {
    const causes = new AsyncLocalStorage<Message>()
    const { broker, orders } = await open({ causes })
    const seen: (string | undefined)[] = []
    broker.subscribe('live', ({ causationId }) => void seen.push(causationId))
    await broker.consume('billing', 'order.placed', async () => {
      await Promise.resolve()
      broker.emit('live', 1)
      await broker.publish('order.paid', 1)
    })
    broker.respond('ask', ({ causationId }) => causationId)
    broker.subscribe(
      'first',
      async () => void seen.push((await broker.request('ask', 1)) as string),
    )
    await broker.publish('order.placed', 1, { id: 'placed' })
    await expect.poll(async () => (await orders.info()).messages).toBe(2)
    expect((await orders.get(2))!.causationId).toBe('placed')
    expect(seen).toEqual(['placed'])
    broker.emit('first', 1, { id: 'one' })
    await expect.poll(() => seen).toEqual(['placed', 'one'])
    broker.emit('live', 1)
    await expect.poll(() => seen).toEqual(['placed', 'one', undefined])
  })
})

describe('filters', () => {
  it('see the data of compressed bodies and of structured events', async () => {
    const { broker, orders } = await open({ compression: 'gzip' })
    const long = 'all work and no play '.repeat(200)
    await broker.publish('order.placed', { total: 5, long })
    await broker.publish('order.placed', { total: 50, long })
    const event = structured({ id: '1', type: 't', partitionkey: 'k', data: { total: 70 } })
    publishRaw(broker, 'order.placed', gzipSync(event), [
      ...STRUCTURED,
      ['content-encoding', 'gzip'],
    ])
    await broker.publish('order.placed', { total: 1 })
    const where = { total: [{ numeric: ['>', 10] }] } as const
    const live: unknown[] = []
    broker.subscribe(
      'order.placed',
      ({ data }) => void live.push((data as { total: number }).total),
      {
        where,
      },
    )
    const found: unknown[] = []
    for await (const { data } of orders.read({ where }))
      found.push((data as { total: number }).total)
    expect(found).toEqual([50, 70])
    publishRaw(broker, 'order.placed', gzipSync('{"total":11}'), [['Content-Encoding', 'gzip']])
    publishRaw(broker, 'order.placed', event, STRUCTURED)
    expect(live).toEqual([11, 70])
  })
})
