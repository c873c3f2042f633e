// Content patterns that must compile, and that must not. The bodies are never run: `tsc` is the judge, and a line that it wrongly
// takes is an unused @ts-expect-error, which is an error too.
import { expectTypeOf, it } from 'vitest'
import { event, type Broker, type BrokerStream, type Where } from '../../src/broker/index.js'
import type { FieldPattern } from '../../src/filter/index.js'
import { isNumberSchema, shapeOf, textLengthSchema } from '../conformance/schemas.js'

interface Order {
  readonly id: number
  readonly state: 'open' | 'closed'
  readonly note?: string | null
  readonly isGift: boolean
  readonly placedAt: Date
  readonly tags: readonly string[]
  readonly lines: readonly { readonly sku: string; readonly count: number }[]
  readonly payment: { readonly card: string } | { readonly iban: string }
  readonly extra: unknown
  readonly labels: Readonly<Record<string, string>>
  total(): number
}

interface Tree {
  readonly value: number
  readonly children: readonly Tree[]
}

const takeOrder = (where: Where<Order>): unknown => where
const Placed = event('order.placed', shapeOf({ id: 'number', total: 'number' }))
const Named = event('user.named', textLengthSchema)
const Counted = event('counted', isNumberSchema)

it('leaves open what is not known', () => {
  expectTypeOf<FieldPattern>().toExtend<Where<unknown>>()
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a schema without types has
  expectTypeOf<FieldPattern>().toExtend<Where<any>>()
})

export function mustCompile(broker: Broker, stream: BrokerStream): void {
  takeOrder({ id: [1, { numeric: ['>', 5, '<=', 9] }, { exists: true }] })
  takeOrder({ state: ['open', { prefix: 'cl' }, { 'anything-but': 'closed' }] })
  takeOrder({ note: [null, 'x', { wildcard: '*urgent*' }, { exists: false }] })
  takeOrder({ isGift: [true], placedAt: [{ prefix: '2026-' }], tags: ['a', { suffix: 'b' }] })
  takeOrder({ lines: { sku: ['x'], count: [{ numeric: ['>=', 2] }] } })
  takeOrder({ payment: { iban: [{ prefix: 'DE' }] }, extra: { any: { thing: [1] } } })
  takeOrder({ labels: { whatever: ['x'] }, lines: { sku: [{ exists: false }] } })
  takeOrder({ $or: [{ id: [1] }, { lines: { $or: [{ sku: ['x'] }, { count: [2] }] } }] })
  const ids: number[] = [1, 2]
  takeOrder({ id: ids })
  const tree: Where<Tree> = { children: { children: { children: { value: [1] } } } }
  broker.subscribe(Placed, () => {}, { where: { total: [{ numeric: ['>', 1] }] }, group: 'g' })
  broker.subscribe(Placed, () => {}, { headers: { region: ['eu'] }, key: [{ prefix: 'c' }] })
  broker.subscribe(Placed, () => {}, { when: ({ data }) => data.total > 1 })
  broker.subscribe('order.*', () => {}, { where: { any: ['thing'], deep: { er: [1] } } })
  // What travels is the schema's input: a text here, and not the number that receivers get.
  broker.subscribe(Named, () => {}, { where: [{ prefix: 'A' }] })
  broker.messages(Counted, { where: [{ numeric: ['>', 1] }], when: ({ data }) => data > 2 })
  void broker.consume('billing', Placed, () => {}, { where: { id: [1] }, order: 'key' })
  void stream.createConsumer('audit', { where: { any: [1] }, key: ['k'] })
  stream.read({ topics: Placed, where: { id: [7] } })
  stream.read({ where: { id: [7] } })
  void tree
}

export function mustNotCompile(broker: Broker, stream: BrokerStream): void {
  // @ts-expect-error a misspelt field
  takeOrder({ stat: ['open'] })
  // @ts-expect-error a misspelt field in a list's elements
  takeOrder({ lines: { skus: ['x'] } })
  // @ts-expect-error a comparison of numbers on a text
  takeOrder({ note: [{ numeric: ['>', 1] }] })
  // @ts-expect-error a prefix of a number
  takeOrder({ id: [{ prefix: '1' }] })
  // @ts-expect-error none of the values that the field can have
  takeOrder({ state: ['opened'] })
  // @ts-expect-error null where there is none
  takeOrder({ id: [null] })
  // @ts-expect-error a value that is not in a list
  takeOrder({ id: 1 })
  // @ts-expect-error fields of a text
  takeOrder({ tags: { length: [1] } })
  // @ts-expect-error conditions on an object
  takeOrder({ lines: ['x'] })
  // @ts-expect-error an object, which is no value that could exist
  takeOrder({ lines: [{ exists: true }] })
  // @ts-expect-error a method
  takeOrder({ total: [1] })
  // @ts-expect-error a moment is a text in JSON
  takeOrder({ placedAt: [{ numeric: ['>', 0] }] })
  // @ts-expect-error bounds in the wrong order
  takeOrder({ id: [{ numeric: ['<', 5, '>', 1] }] })
  // @ts-expect-error an alternative to nothing
  takeOrder({ $or: [{ id: [1] }] })
  // @ts-expect-error no such operator
  takeOrder({ id: [{ greater: 5 }] })
  // @ts-expect-error a field that the payload does not have
  broker.subscribe(Placed, () => {}, { where: { totl: [1] } })
  // @ts-expect-error a header is a text
  broker.subscribe(Placed, () => {}, { headers: { region: [5] } })
  // @ts-expect-error an answer that comes later
  broker.subscribe(Placed, () => {}, { when: async ({ data }) => data.total > 1 })
  // @ts-expect-error a predicate cannot be kept with a consumer
  void broker.consume('billing', Placed, () => {}, { when: () => true })
  // @ts-expect-error a field that the payload does not have
  void broker.consume('billing', Placed, () => {}, { where: { totl: [1] } })
  // @ts-expect-error a responder answers everything
  broker.respond('a', () => 1, { where: { a: [1] } })
  // @ts-expect-error a field that the payload does not have
  stream.read({ topics: Placed, where: { idd: [7] } })
}
