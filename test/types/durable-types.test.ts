// What must and must not compile of the durable verbs. The bodies are never run: `tsc` is the judge.
import { expectTypeOf, it } from 'vitest'
import {
  command,
  event,
  query,
  type Broker,
  type BrokerStream,
  type ConsumedMessageOf,
  type Consumption,
  type Receipt,
  type StoredMessageOf,
  type Transaction,
} from '../../src/broker/index.js'
import { isNumberSchema, shapeOf, textLengthSchema } from '../conformance/schemas.js'

const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))
const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Paid = event('order.paid', shapeOf({ total: 'number' }))
const Named = event('user.named', textLengthSchema)
const Ship = command('parcel.ship', shapeOf({ id: 'number' }))
const Double = query('math.double', isNumberSchema, { reply: isNumberSchema })

it('types stored and consumed messages by their definitions', () => {
  expectTypeOf<StoredMessageOf<typeof Price>['data']>().toEqualTypeOf<{ bid: number }>()
  expectTypeOf<StoredMessageOf<typeof Price>['params']>().toEqualTypeOf<{
    readonly symbol: string
  }>()
  expectTypeOf<StoredMessageOf<'order.*'>['data']>().toEqualTypeOf<unknown>()
  expectTypeOf<ConsumedMessageOf<typeof Named>['data']>().toEqualTypeOf<number>()
  expectTypeOf<ConsumedMessageOf<typeof Named>['sequence']>().toEqualTypeOf<number>()
  expectTypeOf<StoredMessageOf<typeof Placed | typeof Paid>['data']>().toEqualTypeOf<
    { id: number } | { total: number }
  >()
})

export async function mustCompile(broker: Broker, orders: BrokerStream): Promise<void> {
  expectTypeOf(
    broker.stream('orders', { topics: ['order.>'], maxAge: '7d' }),
  ).resolves.toEqualTypeOf<BrokerStream>()
  await broker.stream('orders', { topics: [Placed, Paid] })
  await broker.stream('orders', { topics: Placed, retention: 'work-queue', discard: 'new' })
  await broker.stream('orders')

  expectTypeOf(broker.publish(Placed, { id: 1 })).resolves.toEqualTypeOf<Receipt>()
  await broker.publish(Placed, { id: 1 }, { id: 'order-1', key: 'customer-7', ttl: '1h' })
  await broker.publish(Price, { bid: 1 }, { params: { symbol: 'AAPL' }, delay: '5m' })
  await broker.publish(Placed, { id: 1 }, { expect: { lastSequence: 0 }, rollUp: 'topic' })
  await broker.publish(Named, 'the input of the schema')
  await broker.publish(Ship, { id: 1 })
  await broker.publish('any.topic', new Date())

  const consumption = await broker.consume('billing', Placed, async (message) => {
    expectTypeOf(message.data).toEqualTypeOf<{ id: number }>()
    if (message.data.id < 0) return message.reject('negative')
    if (message.deliveryCount > 2) return message.retry({ after: '30s' })
    await fetch('http://localhost', { signal: message.signal })
  })
  expectTypeOf(consumption).toEqualTypeOf<Consumption>()
  await broker.consume('billing', Placed, () => {}, {
    from: '1h ago',
    order: 'key',
    concurrency: 16,
    retry: { attempts: 3, backoff: ['1s', '1m'] },
    deadLetter: { followers: 'continue' },
  })
  await broker.consume(
    'payer',
    Placed,
    (message, tx) => {
      expectTypeOf(tx).toEqualTypeOf<Transaction>()
      tx.publish(Paid, { total: message.data.id })
      tx.publish(Price, { bid: 1 }, { params: { symbol: 'AAPL' }, id: 'price-1' })
    },
    { delivery: 'exactly-once', from: 7 },
  )
  await broker.consume('audit', Price, ({ params }) => params.symbol.length, { from: new Date() })
  await broker.consume('any', '>', ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>())

  expectTypeOf(
    broker.transaction((tx) => {
      tx.publish(Placed, { id: 1 })
      tx.publish(Paid, { total: 1 })
    }),
  ).resolves.toEqualTypeOf<Receipt[]>()

  for await (const message of orders.read({ from: '1h ago', topics: Placed, limit: 10 })) {
    expectTypeOf(message.data).toEqualTypeOf<{ id: number }>()
  }
  for await (const message of orders.read({ topics: [Placed, Paid] })) {
    expectTypeOf(message.data).toEqualTypeOf<{ id: number } | { total: number }>()
  }
  for await (const message of orders.read()) expectTypeOf(message.data).toEqualTypeOf<unknown>()
  const price = await orders.last(Price, { params: { symbol: 'AAPL' } })
  expectTypeOf(price?.data).toEqualTypeOf<{ bid: number } | undefined>()
  await orders.deadLetters.redrive({ key: 'customer-7' })
  await orders.deadLetters.discard({ topic: Placed, reason: 'rejected' })
  await orders.update({ maxAge: '30d' })
}

export async function mustNotCompile(broker: Broker, orders: BrokerStream): Promise<void> {
  // @ts-expect-error a payload of another type
  await broker.publish(Placed, { id: 'seven' })
  // @ts-expect-error the output of the schema in the place of its input
  await broker.publish(Named, 4)
  // @ts-expect-error parameters are required
  await broker.publish(Price, { bid: 1 })
  // @ts-expect-error a query is requested, not published
  await broker.publish(Double, 1)
  // @ts-expect-error an option that does not exist
  await broker.publish(Placed, { id: 1 }, { keey: 'customer-7' })
  // @ts-expect-error an option of durable messages
  broker.emit(Placed, { id: 1 }, { ttl: '1h' })
  // @ts-expect-error a stream captures topics
  await broker.stream('orders', {})
  // @ts-expect-error an option that does not exist
  await broker.stream('orders', { topics: ['order.>'], maxAgeMs: 7 })
  // @ts-expect-error no duration
  await broker.stream('orders', { topics: ['order.>'], maxAge: '7 days' })
  // @ts-expect-error a query is answered, not consumed
  await broker.consume('math', Double, () => {})
  // @ts-expect-error an option that does not exist
  await broker.consume('billing', Placed, () => {}, { concurency: 16 })
  // @ts-expect-error no such delivery
  await broker.consume('billing', Placed, () => {}, { delivery: 'at-most-once' })
  // @ts-expect-error no such place
  await broker.consume('billing', Placed, () => {}, { from: 'yesterday' })
  // @ts-expect-error predicates are for live subscriptions
  await broker.consume('billing', Placed, () => {}, { when: () => true })
  // @ts-expect-error a transaction comes with exactly-once only
  await broker.consume('billing', Placed, (_message, tx) => tx.publish(Paid, { total: 1 }))
  // @ts-expect-error a payload of another type
  await broker.consume('p', Placed, (_, tx) => tx.publish(Paid, {}), { delivery: 'exactly-once' })
  // @ts-expect-error a field that the data does not have
  await broker.consume('billing', Placed, ({ data }) => data.total)
  // @ts-expect-error live messages have no verdicts
  broker.subscribe(Placed, (message) => message.reject('negative'))
  // @ts-expect-error live messages have no sequence
  broker.subscribe(Placed, (message) => message.sequence)
  // @ts-expect-error messages that are read have no verdicts
  for await (const message of orders.read()) message.reject('negative')
  // @ts-expect-error a wait belongs to a publish, not to a part of a transaction
  await broker.transaction((tx) => tx.publish(Placed, { id: 1 }, { timeout: '1s' }))
  // @ts-expect-error which dead letters must be said; {} is all of them
  await orders.deadLetters.discard()
  // @ts-expect-error a query that does not exist
  await orders.deadLetters.list({ subject: 'order.placed' })
}
