// What must and must not compile. The bodies are never run: `tsc` is the judge, and a line that it wrongly takes is an
// unused @ts-expect-error, which is an error too.
import { expectTypeOf, it } from 'vitest'
import { event, query, type Broker, type Message, type MessageOf } from '../../src/broker/index.js'
import { isNumberSchema, shapeOf, textLengthSchema } from '../conformance/schemas.js'

const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))
const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Named = event('user.named', textLengthSchema)
const Double = query('math.double', isNumberSchema, { reply: isNumberSchema })

it('types messages by their definitions: the output of the schema, and the parameters of the topic', () => {
  expectTypeOf<MessageOf<typeof Price>['data']>().toEqualTypeOf<{ bid: number }>()
  expectTypeOf<MessageOf<typeof Price>['params']>().toEqualTypeOf<{ readonly symbol: string }>()
  expectTypeOf<MessageOf<typeof Named>['data']>().toEqualTypeOf<number>()
  expectTypeOf<MessageOf<'order.*'>>().toEqualTypeOf<Message>()
  expectTypeOf<Message['data']>().toEqualTypeOf<unknown>()
})

export function mustCompile(broker: Broker): void {
  broker.emit(Price, { bid: 1 }, { params: { symbol: 'AAPL' } })
  broker.emit(Price, { bid: 1 }, { params: { symbol: 7 }, key: 'k' })
  broker.emit(Placed, { id: 1 })
  broker.emit(Named, 'the input of the schema')
  broker.emit('any.topic', new Date())
  broker.subscribe(Price, ({ params, data }) => params.symbol.length + data.bid)
  broker.subscribe(Named, ({ data }) => data.toFixed(), { overflow: 'wait' })
  broker.respond(Double, async ({ data }) => data * 2)
  expectTypeOf(broker.request(Double, 1)).resolves.toEqualTypeOf<number>()
  expectTypeOf(broker.request('any.topic', 1)).resolves.toEqualTypeOf<unknown>()
}

export function mustNotCompile(broker: Broker): void {
  // @ts-expect-error a payload of another type
  broker.emit(Placed, { id: 'seven' })
  // @ts-expect-error a payload without its field
  broker.emit(Placed, {})
  // @ts-expect-error the output of the schema in the place of its input
  broker.emit(Named, 4)
  // @ts-expect-error parameters are required
  broker.emit(Price, { bid: 1 })
  // @ts-expect-error a parameter is missing
  broker.emit(Price, { bid: 1 }, { params: {} })
  // @ts-expect-error a parameter that the topic does not have
  broker.emit(Placed, { id: 1 }, { params: { symbol: 'AAPL' } })
  // @ts-expect-error a query is requested, not emitted
  broker.emit(Double, 1)
  // @ts-expect-error an event is emitted, not requested
  void broker.request(Placed, { id: 1 })
  // @ts-expect-error a question of another type
  void broker.request(Double, 'text')
  // @ts-expect-error an answer of another type
  broker.respond(Double, () => 'text')
  // @ts-expect-error a field that the data does not have
  broker.subscribe(Placed, ({ data }) => data.total)
  // @ts-expect-error unknown data is not a number
  broker.subscribe('any.topic', ({ data }) => data.toFixed())
  // @ts-expect-error a policy that does not exist
  broker.subscribe('any.topic', () => {}, { overflow: 'drop' })
  // @ts-expect-error a query needs the shape of its answer
  query('math.double', isNumberSchema)
}
