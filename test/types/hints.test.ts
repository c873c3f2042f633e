// What the compiler says of the commonest mistakes. The wording is part of the product: each is compiled for real, and what is
// said must name what is wrong and what to do.
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { beforeAll, expect, it } from 'vitest'

const checkout = join(import.meta.dirname, '..', '..')
const file = join(import.meta.dirname, 'mistakes.ts')

const OPENING = `
import { command, event, openBroker, query, type Broker } from '../../src/broker/index.js'
import { isNumberSchema, shapeOf } from '../conformance/schemas.js'
const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))
const Placed = event('order.placed', shapeOf({ id: 'number', total: 'number' }))
const Ship = command('parcel.ship', shapeOf({ id: 'number' }))
const Double = query('math.double', isNumberSchema, { reply: isNumberSchema })
const catalog = [Price, Placed, Ship, Double]
declare const broker: Broker
declare const strict: Broker<typeof catalog>
const order = { id: 1, total: 40 }
`

/** A mistake in one line, and what of the compiler's words helps whoever made it. */
const mistakes: readonly (readonly [name: string, line: string, hint: string])[] = [
  [
    'a misspelt option',
    `broker.subscribe(Placed, () => {}, { concurency: 4 })`,
    `Did you mean to write 'concurrency'?`,
  ],
  [
    'a misspelt option of openBroker',
    `void openBroker({ catalog, directry: './data' })`,
    `Did you mean to write 'directory'?`,
  ],
  [
    'a misspelt option of publish',
    `void broker.publish(Placed, order, { keey: 'customer-7' })`,
    `Did you mean to write 'key'?`,
  ],
  [
    'a misspelt field of the payload',
    `broker.emit(Placed, { id: 1, totl: 40 })`,
    `Did you mean to write 'total'?`,
  ],
  [
    'a field of another type',
    `broker.emit(Placed, { id: 'one', total: 40 })`,
    `Type 'string' is not assignable to type 'number'.`,
  ],
  [
    'a topic that the catalog does not have',
    `strict.emit('order.plced', order)`,
    `order.plced is not in the catalog of this broker`,
  ],
  [
    'a pattern that matches nothing',
    `strict.subscribe('oder.*', () => {})`,
    `oder.* is not in the catalog of this broker`,
  ],
  [
    'a type that the catalog does not have',
    `strict.subscribe({ type: 'order.plced' }, () => {})`,
    `the type order.plced is not in the catalog of this broker`,
  ],
  ['no parameters', `broker.emit(Price, { bid: 1 })`, `Expected 3 arguments, but got 2.`],
  [
    'a misspelt parameter',
    `broker.emit(Price, { bid: 1 }, { params: { symbl: 'AAPL' } })`,
    `Did you mean to write 'symbol'?`,
  ],
  [
    'a query that is emitted',
    `broker.emit(Double, 1)`,
    `a query is requested, not emitted: broker.request(…)`,
  ],
  [
    'a query that is emitted by its topic',
    `strict.emit('math.double', 1)`,
    `a query is requested, not emitted: broker.request(…)`,
  ],
  [
    'an event that is requested',
    `void broker.request(Placed, order)`,
    `an event has no answer: broker.emit(…) or broker.publish(…)`,
  ],
  [
    'an event that is answered',
    `broker.respond(Placed, () => 1)`,
    `an event is not answered: broker.subscribe(…) or broker.consume(…)`,
  ],
  [
    'a command that is subscribed to',
    `broker.subscribe(Ship, () => {})`,
    `a command is for one receiver: broker.respond(…) or broker.consume(…)`,
  ],
  [
    'a predicate for a consumer',
    `void broker.consume('billing', Placed, () => {}, { when: () => true })`,
    `'when' does not exist in type 'ConsumeOptions<"at-least-once">`,
  ],
  [
    'a misspelt field of a filter',
    `broker.subscribe(Placed, () => {}, { where: { totl: [5] } })`,
    `Did you mean to write 'total'?`,
  ],
  [
    'a value of a filter that is in no list',
    `broker.subscribe(Placed, () => {}, { where: { total: 5 } })`,
    `Type 'number' is not assignable to type 'readonly (PresenceCondition | NumberCondition<number>)[]'`,
  ],
  [
    'a verdict on a live message',
    `broker.subscribe(Placed, (message) => message.reject('negative'))`,
    `Property 'reject' does not exist on type 'Message<`,
  ],
  [
    'an answer of another type',
    `broker.respond(Double, () => 'text')`,
    `Type 'string' is not assignable to type 'number | Promise<number>'.`,
  ],
]

let said: Map<number, string>
const firstLine = OPENING.split('\n').length - 1

beforeAll(() => {
  const text = OPENING + mistakes.map(([, line]) => line).join('\n')
  said = new Map(compile(text).map(({ line, message }) => [line - firstLine, message]))
}, 120_000)

it.each(mistakes.map(([name, , hint], index) => ({ name, hint, index })))(
  'says what is wrong with $name',
  ({ hint, index }) => expect(said.get(index)).toContain(hint),
)

it('complains of nothing else', () => {
  expect([...said.keys()].sort((left, right) => left - right)).toEqual(mistakes.map((_, i) => i))
})

/** What the compiler says of a file that is on no disk. */
function compile(text: string): { line: number; message: string }[] {
  const { config } = ts.readConfigFile(join(checkout, 'tsconfig.json'), ts.sys.readFile) as {
    config: unknown
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, checkout)
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (path) => path === file || fileExists(path)
  host.getSourceFile = (path, target, ...rest) =>
    path === file ? ts.createSourceFile(path, text, target) : getSourceFile(path, target, ...rest)
  host.getCurrentDirectory = () => dirname(file)
  const program = ts.createProgram([file], options, host)
  const source = program.getSourceFile(file)!
  return program.getSemanticDiagnostics(source).map(({ start, messageText }) => ({
    line: source.getLineAndCharacterOfPosition(start!).line,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }))
}
