// What a broker with a catalog takes and refuses, and what a source comes to: lists, patterns and types.
import { afterEach, describe, expect, it } from 'vitest'
import {
  command,
  event,
  openBroker,
  query,
  type Broker,
  type BrokerEvent,
  type Catalog,
} from '../../src/broker/index.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { Server } from '../../src/server/index.js'
import { isNumberSchema, shapeOf } from '../conformance/schemas.js'

const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))
const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Paid = event('order.paid', shapeOf({ id: 'number' }))
const Joined = event('{region}.user.joined', undefined, { type: 'user.joined' })
const Left = event('user.left')
const Ship = command('parcel.ship', shapeOf({ id: 'number' }))
const Double = query('order.double', isNumberSchema, { reply: isNumberSchema })
const catalog = [Price, Placed, Paid, Joined, Left, Ship, Double] as const

const cleanUps: (() => Promise<unknown>)[] = []
let events: BrokerEvent[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function open<const C extends Catalog | undefined>(
  given: C,
  engine = new EmbeddedEngine(),
): Promise<Broker<C>> {
  events = []
  const onEvent = (one: BrokerEvent): void => void events.push(one)
  const broker = await openBroker({ engine, onEvent, ...(given && { catalog: given }) })
  cleanUps.push(() => broker.close())
  return broker as Broker<C>
}

/** As a caller without types would use it. */
const untyped = (broker: unknown) =>
  broker as Record<string, (...given: unknown[]) => unknown> & {
    emit(...given: unknown[]): unknown
  }

const coded = (code: string) => expect.objectContaining({ code }) as Error

async function codeOf(work: unknown): Promise<unknown> {
  return Promise.resolve(work).then(
    () => 'resolved',
    (error: unknown) => (error as { code?: unknown }).code,
  )
}

describe('a catalog', () => {
  it('refuses undeclared topics of every verb', async () => {
    const broker = untyped(await open(catalog))
    const declined = coded('UNDECLARED_TOPIC')
    expect(() => broker.emit('order.plced', 1)).toThrowError(declined)
    expect(() => broker.subscribe!('oder.*', () => {})).toThrowError(declined)
    expect(() => broker.subscribe!(['order.paid', 'x'], () => {})).toThrowError(declined)
    expect(() => broker.subscribe!({ type: 'user.moved' }, () => {})).toThrowError(declined)
    expect(() => broker.respond!('x', () => 1)).toThrowError(declined)
    expect(() => broker.messages!('x')).toThrowError(declined)
    expect(await codeOf(broker.request!('x', 1))).toBe('UNDECLARED_TOPIC')
    expect(await codeOf(broker.publish!('x', 1))).toBe('UNDECLARED_TOPIC')
    expect(await codeOf(broker.consume!('a', 'x', () => {}))).toBe('UNDECLARED_TOPIC')
  })

  it('validates what is sent to a topic by its name', async () => {
    const broker = await open(catalog)
    const seen: unknown[] = []
    broker.subscribe('price.*', ({ data, params, type }) => seen.push([data, params, type]))
    broker.emit('price.AAPL', { bid: 7 })
    broker.emit('price.AAPL', { bid: 'seven' } as never)
    expect(seen).toEqual([[{ bid: 7 }, { symbol: 'AAPL' }, 'price']])
    expect(events).toMatchObject([{ type: 'emit-failed', error: { code: 'VALIDATION_FAILED' } }])
  })

  it('yields declared events only to a pattern, whatever others send', async () => {
    const engine = new EmbeddedEngine()
    const stranger = await open(undefined, engine)
    const broker = await open(catalog, engine)
    const seen: string[] = []
    broker.subscribe('order.*', ({ topic }) => void seen.push(topic))
    broker.respond(Double, ({ data }) => data * 2)
    expect(await broker.request(Double, 4)).toBe(8)
    stranger.emit('order.unheard', 1)
    stranger.emit('order.paid', { id: 2 })
    stranger.emit('order.paid', { id: 'two' })
    broker.emit(Placed, { id: 1 })
    expect(seen).toEqual(['order.paid', 'order.placed'])
    expect(events.map(({ type }) => type)).toEqual(['message-invalid'])
  })

  it('takes no two definitions of the same topics', async () => {
    const twice = [event('a.{x}'), event('a.{y}')]
    expect(await codeOf(openBroker({ catalog: twice }))).toBe('DEFINITION_INVALID')
    expect(await codeOf(openBroker({ catalog: [5] as never }))).toBe('OPTION_INVALID')
    expect(await codeOf(openBroker({ catalog: {} as never }))).toBe('OPTION_INVALID')
    expect(await codeOf(openBroker({ validate: 'never' as never }))).toBe('OPTION_INVALID')
  })

  it('prefers the definition of the very topic to one with parameters', async () => {
    const broker = await open([event('a.{x}', shapeOf({ id: 'number' })), event('a.b')] as const)
    const seen: unknown[] = []
    broker.subscribe('a.*', ({ data }) => seen.push(data))
    broker.emit('a.b', 'no object')
    broker.emit('a.c', { id: 1 })
    expect(seen).toEqual(['no object', { id: 1 }])
  })
})

describe('kinds, for callers without types', () => {
  const wrong: readonly (readonly [verb: string, given: readonly unknown[]])[] = [
    ['emit', [Ship, 1]],
    ['emit', [Double, 1]],
    ['subscribe', [Ship, () => {}]],
    ['subscribe', [Double, () => {}]],
    ['subscribe', ['order.double', () => {}]],
    ['respond', [Placed, () => 1]],
    ['respond', ['order.placed', () => 1]],
    ['messages', [Double]],
    ['request', [Placed, { id: 1 }]],
    ['publish', [Double, 1]],
    ['consume', ['name', Double, () => {}]],
  ]

  it.each(wrong)('%s refuses the wrong one with a hint', async (verb, given) => {
    const told = verb === 'messages' ? 'subscribe' : verb
    const broker = untyped(await open(catalog))
    const call = async (): Promise<unknown> => broker[verb]!(...given)
    await expect(call()).rejects.toMatchObject({ code: 'KIND_MISMATCH', details: { verb: told } })
  })

  it('publish takes a command for a work queue only, alone and in a transaction', async () => {
    const broker = await open(undefined)
    const parcels = await broker.stream('parcels', { topics: 'parcel.>' })
    expect(await codeOf(broker.publish(Ship, { id: 1 }))).toBe('KIND_MISMATCH')
    const both = broker.transaction((tx) => tx.publish(Ship, { id: 1 }))
    expect(await codeOf(both)).toBe('KIND_MISMATCH')
    expect((await parcels.info()).messages).toBe(0)
    await parcels.delete()
    const queue = { topics: 'parcel.>', retention: 'work-queue' } as const
    await broker.stream('parcels', queue)
    const receipts = [1, 2, 3].map((id) => broker.publish(Ship, { id }))
    expect((await Promise.all(receipts)).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    await broker.transaction((tx) => tx.publish(Ship, { id: 4 }))
  })
})

describe('a list of sources', () => {
  it('yields a message once, though several of it match', async () => {
    const broker = await open(undefined)
    const seen: string[] = []
    broker.subscribe(['a.*', '*.b', 'a.b', Placed, 'a.b'], ({ topic }) => void seen.push(topic))
    for (const topic of ['a.b', 'a.c', 'x.b', 'x.c']) broker.emit(topic, 1)
    broker.emit(Placed, { id: 1 })
    expect(seen).toEqual(['a.b', 'a.c', 'x.b', 'order.placed'])
  })

  it('is one member of a group', async () => {
    const broker = await open(undefined)
    const seen: string[] = []
    for (const member of ['one', 'two']) {
      broker.subscribe(['a.*', '*.b'], ({ topic }) => void seen.push(`${member} ${topic}`), {
        group: 'g',
      })
    }
    for (let i = 0; i < 50; i++) broker.emit('a.b', i)
    expect(seen).toHaveLength(50)
    expect(new Set(seen)).toEqual(new Set(['one a.b', 'two a.b']))
  })

  it('shows each message by its definition, and ends as one', async () => {
    const broker = await open(undefined)
    const seen: unknown[] = []
    const subscription = broker.subscribe([Price, Placed], ({ params, data }) => {
      seen.push([params, data])
    })
    broker.emit('price.AAPL', { bid: 1 })
    broker.emit('order.placed', { id: 1 })
    broker.emit('order.placed', { bid: 1 })
    expect(seen).toEqual([
      [{ symbol: 'AAPL' }, { bid: 1 }],
      [{}, { id: 1 }],
    ])
    expect(events.map(({ type }) => type)).toEqual(['message-invalid'])
    await subscription.close()
    broker.emit(Placed, { id: 2 })
    expect(seen).toHaveLength(2)
  })

  it('is refused when it is empty', async () => {
    const broker = await open(undefined)
    expect(() => broker.subscribe([], () => {})).toThrowError(coded('OPTION_INVALID'))
  })
})

describe('a subscription by type', () => {
  it('sees the type on whatever topic, inside one process', async () => {
    const broker = await open(undefined)
    const seen: string[] = []
    const subscription = broker.subscribe({ type: 'user.joined' }, ({ topic }) => {
      seen.push(topic)
    })
    const odd = broker.subscribe({ type: 'an odd type' }, ({ topic }) => void seen.push(topic))
    broker.emit(Joined, 1, { params: { region: 'eu' } })
    broker.emit(Joined, 1, { params: { region: 'us' } })
    broker.emit('eu.user.joined', 1)
    broker.emit('user.joined', 1)
    broker.emit(event('o', undefined, { type: 'an odd type' }), 1)
    expect(seen).toEqual(['eu.user.joined', 'us.user.joined', 'user.joined', 'o'])
    await subscription.close()
    await odd.close()
    broker.emit(Joined, 1, { params: { region: 'eu' } })
    expect(seen).toHaveLength(4)
    expect(broker.engine.statistics.subscriptions).toBe(0)
  })

  it('is the topics of the type where there is a catalog', async () => {
    const broker = await open(catalog)
    const seen: unknown[] = []
    broker.subscribe({ type: 'user.joined' }, ({ params }) => seen.push(params))
    broker.emit('eu.user.joined', 1)
    expect(seen).toEqual([{ region: 'eu' }])
    await broker.stream('users', { topics: '*.user.joined' })
    await broker.publish('us.user.joined', 2)
    const users = await broker.stream('users')
    const read: unknown[] = []
    for await (const { params } of users.read({ topics: { type: 'user.joined' } })) {
      read.push(params)
    }
    expect(read).toEqual([{ region: 'us' }])
  })

  it('is refused where everything would have to be fetched for it', async () => {
    const engine = new EmbeddedEngine()
    const server = new Server({ host: '127.0.0.1', port: 0 }, { engine })
    await server.start()
    const broker = await openBroker({ url: server.url })
    cleanUps.push(
      () => engine.close(),
      () => server.stop(),
      () => broker.close(),
    )
    expect(() => broker.subscribe({ type: 'a' }, () => {})).toThrowError(coded('UNSUPPORTED'))
    const here = await open(undefined)
    await here.stream('all', { topics: '>' })
    const consuming = here.consume('a', { type: 'a' }, () => {}, { stream: 'all' })
    expect(await codeOf(consuming)).toBe('UNSUPPORTED')
  })
})

describe('what is stored', () => {
  it('goes to the dead letters with its issues when it is invalid or undeclared', async () => {
    const engine = new EmbeddedEngine()
    const stranger = await open(undefined, engine)
    const broker = await open(catalog, engine)
    const orders = await broker.stream('orders', { topics: 'order.>' })
    for (const [topic, data] of [
      ['order.placed', { id: 'one' }],
      ['order.unheard', 1],
      ['order.paid', { id: 3 }],
    ] as const) {
      await stranger.publish(topic, data)
    }
    const seen: unknown[] = []
    let finish = (): void => {}
    const done = new Promise<void>((resolve) => (finish = resolve))
    const member = await broker.consume('billing', 'order.*', ({ data }) => {
      seen.push(data)
      finish()
    })
    await done
    await member.close()
    expect(seen).toEqual([{ id: 3 }])
    while ((await orders.deadLetters.count()) < 2) await new Promise((go) => setImmediate(go))
    const letters = await orders.deadLetters.list()
    expect(letters.map(({ reason, error, attempts }) => [reason, error, attempts])).toEqual([
      ['undecodable', 'order.placed: id: must be a number', 1],
      ['undecodable', expect.stringContaining('"order.unheard" is not in the catalog'), 1],
    ])
    expect(() => letters[0]!.message.data).toThrowError(
      expect.objectContaining({
        details: {
          topic: 'order.placed',
          issues: [{ message: 'must be a number', path: ['id'] }],
        },
      }),
    )
  })

  it('is read by lists and patterns, undeclared messages passed over', async () => {
    const engine = new EmbeddedEngine()
    const stranger = await open(undefined, engine)
    const broker = await open(catalog, engine)
    const orders = await broker.stream('orders', { topics: ['order.>', 'price.>'] })
    await stranger.publish('order.unheard', 1)
    await stranger.publish('order.paid', { id: 2 })
    await stranger.publish('price.AAPL', { bid: 3 })
    const topicsOf = async (messages: AsyncIterable<{ topic: string }>): Promise<string[]> => {
      const found: string[] = []
      for await (const { topic } of messages) found.push(topic)
      return found
    }
    expect(await topicsOf(orders.read({ topics: ['order.*', Price], limit: 2 }))).toEqual([
      'order.paid',
      'price.AAPL',
    ])
    expect(await topicsOf(orders.read({ topics: 'order.*', follow: true, limit: 1 }))).toEqual([
      'order.paid',
    ])
    expect(await topicsOf(orders.read())).toHaveLength(3)
  })
})
