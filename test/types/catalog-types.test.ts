// What a catalog makes of the verbs: what must compile and what must not. The bodies are never run: `tsc` is the judge.
import { expect, expectTypeOf, it } from 'vitest'
import {
  command,
  event,
  query,
  type Broker,
  type BrokerStream,
  type ConsumedMessageOf,
  type MessageOf,
  type StoredMessageOf,
} from '../../src/broker/index.js'
import { isNumberSchema, shapeOf, textLengthSchema } from '../conformance/schemas.js'

const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))
const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Paid = event('order.paid', shapeOf({ total: 'number' }))
const Named = event('user.named', textLengthSchema)
const Joined = event('region.{region}.joined', shapeOf({ name: 'string' }), { type: 'user.joined' })
const Ship = command('parcel.ship', shapeOf({ id: 'number' }))
const Double = query('math.double', isNumberSchema, { reply: textLengthSchema })
const Foreign = event('foreign.thing', shapeOf({ id: 'number' }))

export const catalog = [Price, Placed, Paid, Named, Joined, Ship, Double] as const
type C = typeof catalog
type DataOf<S> = MessageOf<S, C>['data']

it('yields the union of what a pattern matches', () => {
  expectTypeOf<DataOf<'order.*'>>().toEqualTypeOf<{ id: number } | { total: number }>()
  expectTypeOf<DataOf<'order.>'>>().toEqualTypeOf<{ id: number } | { total: number }>()
  expectTypeOf<DataOf<'*.placed'>>().toEqualTypeOf<{ id: number } | { bid: number }>()
  expectTypeOf<DataOf<'order.placed'>>().toEqualTypeOf<{ id: number }>()
  expectTypeOf<DataOf<'price.AAPL'>>().toEqualTypeOf<{ bid: number }>()
  expectTypeOf<DataOf<`price.${string}`>>().toEqualTypeOf<{ bid: number }>()
  expectTypeOf<DataOf<'region.eu.*'>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<DataOf<'region.>'>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<DataOf<'user.*'>>().toEqualTypeOf<number>()
  expectTypeOf<DataOf<'order.placed.again'>>().toEqualTypeOf<never>()
  expectTypeOf<DataOf<'price.*.*'>>().toEqualTypeOf<never>()
})

it('yields events only to a live pattern, and no queries from a stream', () => {
  expectTypeOf<DataOf<'>'>>().toEqualTypeOf<
    { bid: number } | { id: number } | { total: number } | number | { name: string }
  >()
  expectTypeOf<MessageOf<'>', C>['topic']>().toEqualTypeOf<
    `price.${string}` | 'order.placed' | 'order.paid' | 'user.named' | `region.${string}.joined`
  >()
  expectTypeOf<StoredMessageOf<'parcel.*', C>['data']>().toEqualTypeOf<{ id: number }>()
  expectTypeOf<ConsumedMessageOf<'math.*', C>['data']>().toEqualTypeOf<never>()
  expectTypeOf<DataOf<string>>().toEqualTypeOf<DataOf<'>'>>()
})

it('selects by lists and by types', () => {
  expectTypeOf<DataOf<readonly [typeof Placed, 'price.*']>>().toEqualTypeOf<
    { id: number } | { bid: number }
  >()
  expectTypeOf<DataOf<{ type: 'user.joined' }>>().toEqualTypeOf<{ name: string }>()
  expectTypeOf<DataOf<{ type: 'price' }>>().toEqualTypeOf<{ bid: number }>()
  expectTypeOf<(typeof Joined)['type']>().toEqualTypeOf<'user.joined'>()
  expectTypeOf<(typeof Price)['type']>().toEqualTypeOf<'price'>()
})

it('types the messages of a class by its instances', () => {
  class Created {
    name = ''
    greet(): string {
      return this.name
    }
  }
  const definition = event('user.created', Created)
  expect(definition.type).toBe('user.created')
  expectTypeOf<MessageOf<typeof definition>['data']>().toEqualTypeOf<Created>()
})

export async function mustCompile(broker: Broker<C>, orders: BrokerStream<C>): Promise<void> {
  broker.emit(Price, { bid: 1 }, { params: { symbol: 'AAPL' } })
  broker.emit('order.placed', { id: 1 })
  broker.emit('price.AAPL', { bid: 1 }, { key: 'AAPL' })
  const symbol: string = 'AAPL'
  broker.emit(`price.${symbol}`, { bid: 1 })
  broker.subscribe('order.*', (message) => {
    if (message.type === 'order.placed') {
      expectTypeOf(message.data).toEqualTypeOf<{ id: number }>()
    } else expectTypeOf(message.data).toEqualTypeOf<{ total: number }>()
    if (message.topic === 'order.paid') {
      expectTypeOf(message.data).toEqualTypeOf<{ total: number }>()
    }
  })
  broker.subscribe([Placed, 'price.*'], ({ data }) => {
    expectTypeOf(data).toEqualTypeOf<{ id: number } | { bid: number }>()
  })
  broker.subscribe({ type: 'user.joined' }, ({ data, topic }) => {
    expectTypeOf(data).toEqualTypeOf<{ name: string }>()
    expectTypeOf(topic).toEqualTypeOf<`region.${string}.joined`>()
  })
  for await (const { data } of broker.messages('order.paid')) {
    expectTypeOf(data).toEqualTypeOf<{ total: number }>()
  }
  await broker.publish('order.placed', { id: 1 }, { key: 'customer-7' })
  await broker.publish('parcel.ship', { id: 1 })
  expectTypeOf(broker.request('math.double', 2)).resolves.toEqualTypeOf<number>()
  expectTypeOf(broker.request(Double, 2)).resolves.toEqualTypeOf<number>()
  broker.respond('math.double', ({ data }) => String(data * 2))
  broker.respond(Double, async ({ data }) => String(data * 2))
  broker.respond(Ship, ({ data }) => data.id)
  await broker.consume('billing', 'order.*', async (message) => {
    if (message.type === 'order.paid') return message.reject(String(message.data.total))
    expectTypeOf(message.data).toEqualTypeOf<{ id: number }>()
  })
  await broker.consume('both', ['order.paid', Placed], ({ data }) => {
    expectTypeOf(data).toEqualTypeOf<{ id: number } | { total: number }>()
  })
  await broker.consume('pay', Placed, (_, tx) => tx.publish('order.paid', { total: 1 }), {
    delivery: 'exactly-once',
  })
  for await (const { data } of orders.read({ topics: 'order.*', from: 7 })) {
    expectTypeOf(data).toEqualTypeOf<{ id: number } | { total: number }>()
  }
  for await (const { data } of orders.read()) expectTypeOf(data).toEqualTypeOf<unknown>()
  const last = await orders.last('order.paid')
  expectTypeOf(last?.data).toEqualTypeOf<{ total: number } | undefined>()
  await broker.transaction((tx) => tx.publish('order.paid', { total: 1 }))
  takesAny(broker)
}

function takesAny(broker: Broker): void {
  broker.emit('whatever', 1)
}

export async function mustNotCompile(broker: Broker<C>, orders: BrokerStream<C>): Promise<void> {
  // @ts-expect-error an undeclared topic
  broker.emit('order.plcaed', { id: 1 })
  // @ts-expect-error a topic that is known at run time only
  broker.emit('order.placed' as string, { id: 1 })
  // @ts-expect-error one token more than the template has
  broker.emit('price.AAPL.now', { bid: 1 })
  // @ts-expect-error a payload of another topic
  broker.emit('order.placed', { total: 1 })
  // @ts-expect-error a query is requested
  broker.emit('math.double', 1)
  // @ts-expect-error a definition beside the catalog
  broker.emit(Foreign, { id: 1 })
  // @ts-expect-error a pattern is not published to
  broker.emit('order.*', { id: 1 })
  // @ts-expect-error no topic matches
  broker.subscribe('oder.*', () => {})
  // @ts-expect-error an undeclared topic
  broker.subscribe('order.plcaed', () => {})
  // @ts-expect-error one of the list is undeclared
  broker.subscribe(['order.placed', 'order.plcaed'], () => {})
  // @ts-expect-error a type that is none
  broker.subscribe({ type: 'user.left' }, () => {})
  // @ts-expect-error a command is for one receiver
  broker.subscribe(Ship, () => {})
  // @ts-expect-error only queries match
  broker.subscribe('math.*', () => {})
  // @ts-expect-error an event has no answer
  void broker.request('order.placed', { id: 1 })
  // @ts-expect-error an event is not answered
  broker.respond('order.placed', () => 1)
  // @ts-expect-error an answer of another type
  broker.respond('math.double', ({ data }) => data)
  // @ts-expect-error a query is not stored
  await broker.consume('a', 'math.double', () => {})
  // @ts-expect-error a query is not stored
  await broker.publish('math.double', 1)
  // @ts-expect-error an undeclared topic
  await broker.publish('order.plcaed', { id: 1 })
  // @ts-expect-error an undeclared topic
  for await (const message of orders.read({ topics: 'oder.*' })) void message
  // @ts-expect-error an undeclared topic
  await broker.transaction((tx) => tx.publish('order.plcaed', { id: 1 }))
}
