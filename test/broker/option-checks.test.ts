// Unknown names of options, as callers without types write them: refused, with the name that was meant.
import { afterEach, describe, expect, it } from 'vitest'
import { openBroker, type Broker, type BrokerStream } from '../../src/broker/index.js'
import { oneOf, refuseUnknownOptions, wholeNumber } from '../../src/broker/option-checks.js'
import { codeOf } from './durable-stage.js'

const known = new Set(['concurrency', 'retry', 'from', 'order'])

describe('refuseUnknownOptions', () => {
  it.each([
    ['concurency', 'concurrency'],
    ['Concurrency', 'concurrency'],
    ['form', 'from'],
    ['retries', 'retry'],
  ])('says of %s that %s may be meant', (name, meant) => {
    expect(() => refuseUnknownOptions('consume', { [name]: 1 }, known)).toThrowError(
      expect.objectContaining({ code: 'OPTION_INVALID', details: { option: name, meant } }),
    )
  })

  it('lists what there is when nothing is near', () => {
    expect(() => refuseUnknownOptions('consume', { group: 'a' }, known)).toThrowError(
      "consume has no option 'group'; it takes concurrency, retry, from, order",
    )
  })

  it.each([null, 5, 'text', []])('takes no %j for options', (options) => {
    expect(() => refuseUnknownOptions('consume', options as never, known)).toThrowError(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })

  it('takes known names, and no options', () => {
    refuseUnknownOptions('consume', { from: 1, order: undefined }, known)
    refuseUnknownOptions('consume', undefined, known)
  })
})

it.each([0, -1, 1.5, NaN, Infinity, '1', undefined])('takes no %j for a count', (value) => {
  expect(() => wholeNumber('limit', value, 1)).toThrowError(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  )
})

it('names the values that there are', () => {
  expect(oneOf('order', 'key', ['stream', 'key'])).toBe('key')
  expect(() => oneOf('order', 'keys', ['stream', 'key'])).toThrowError(
    `order must be one of 'stream', 'key', not "keys"`,
  )
})

describe('the durable verbs', () => {
  let broker: Broker | undefined

  afterEach(() => broker?.close())

  /** As a caller without types would write it. */
  const untyped = (value: unknown): never => value as never

  it.each<[string, (broker: Broker, orders: BrokerStream) => Promise<unknown>]>([
    ['openBroker', () => openBroker(untyped({ dir: './data' }))],
    ['connection', () => openBroker(untyped({ connection: { usr: 'a' } }))],
    ['stream', (on) => on.stream('a', untyped({ topics: 'a', maxAgeMs: 5 }))],
    ['stream.update', (_, orders) => orders.update(untyped({ maxage: '5d' }))],
    ['stream.read', async (_, orders) => orders.read(untyped({ form: 1 })).next()],
    ['stream.purge', (_, orders) => orders.purge(untyped({ upTo: 1 }))],
    ['stream.updateConsumer', (_, orders) => orders.updateConsumer('a', untyped({ from: 1 }))],
    ['publish', (on) => on.publish('order.a', 1, untyped({ keey: 'a' }))],
    ['expect', (on) => on.publish('order.a', 1, untyped({ expect: { last: 1 } }))],
    ['consume', (on) => on.consume('a', 'order.a', () => {}, untyped({ group: 'a' }))],
    ['retry', (on) => on.consume('a', 'order.a', () => {}, untyped({ retry: { max: 5 } }))],
    [
      'deadLetter',
      (on) => on.consume('a', 'order.a', () => {}, untyped({ deadLetter: { name: 'd' } })),
    ],
    ['transaction', (on) => on.transaction(() => {}, untyped({ isolation: 1 }))],
    [
      'tx.publish',
      (on) => on.transaction((tx) => tx.publish('order.a', 1, untyped({ timeout: 1 }))),
    ],
    ['deadLetters.list', (_, orders) => orders.deadLetters.list(untyped({ subject: 'a' }))],
    ['deadLetters.discard', (_, orders) => orders.deadLetters.discard(untyped(undefined))],
  ])('refuses unknown options of %s', async (_, call) => {
    broker = await openBroker({ onEvent: () => {} })
    const orders = await broker.stream('orders', { topics: ['order.>'] })
    const failing = (async () => call(broker, orders))()
    expect(await codeOf(failing)).toBe('OPTION_INVALID')
  })

  it('takes one place, not two', async () => {
    expect(await codeOf(openBroker({ directory: './data', url: 'nats://localhost' }))).toBe(
      'OPTION_INVALID',
    )
  })

  it.each(['a b', 'a.b', '', 'a/b', 'NUL', 'com1', 'x'.repeat(101), 'ä', 7])(
    'takes no stream and no consumer called %j',
    async (name) => {
      broker = await openBroker({ onEvent: () => {} })
      await broker.stream('orders', { topics: ['order.>'] })
      expect(await codeOf(broker.stream(untyped(name), { topics: ['a'] }))).toBe('NAME_INVALID')
      expect(await codeOf(broker.consume(untyped(name), 'order.a', () => {}))).toBe('NAME_INVALID')
    },
  )
})
