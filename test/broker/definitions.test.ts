// Definitions by every kind of schema: what is sent, what is received, and what is refused where.
import { type } from 'arktype'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  event,
  openBroker,
  query,
  type Broker,
  type BrokerEvent,
  type BrokerOptions,
  type StandardSchema,
} from '../../src/broker/index.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { Server } from '../../src/server/index.js'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** In memory, messages are passed by reference; over a server, as bytes. */
async function openIn(
  place: string,
  options: BrokerOptions<undefined> = {},
  events: BrokerEvent[] = [],
): Promise<Broker> {
  const terms = { onEvent: (one: BrokerEvent): void => void events.push(one), ...options }
  if (place === 'memory') return opened(await openBroker(terms))
  const engine = new EmbeddedEngine()
  const server = new Server({ host: '127.0.0.1', port: 0 }, { engine })
  await server.start()
  cleanUps.push(
    () => engine.close(),
    () => server.stop(),
  )
  return opened(await openBroker({ url: server.url, ...terms }))
}

function opened(broker: Broker): Broker {
  cleanUps.push(() => broker.close({ drain: '1s' }))
  return broker
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

const coded = (code: string) => expect.objectContaining({ code }) as Error

/** A text that is a number on the wire, so input and output differ. */
const dated = {
  zod: event('day.passed', z.object({ on: z.coerce.date<string>() })),
  valibot: event(
    'day.passed',
    v.object({
      on: v.pipe(
        v.string(),
        v.isoTimestamp(),
        v.transform((text) => new Date(text)),
      ),
    }),
  ),
  arktype: event('day.passed', type({ on: 'string.date.iso.parse' })),
}

const NEW_YEAR = '2026-01-01T00:00:00.000Z'

describe.each(['memory', 'server'])('in %s', (place) => {
  it.each(Object.entries(dated))(
    'sends the input of a %s schema, and receives its output',
    async (_, Day) => {
      const broker = await openIn(place)
      const seen: [Date, string][] = []
      broker.subscribe(Day, ({ data, bytes }) => {
        seen.push([data.on, Buffer.from(bytes).toString()])
      })
      await broker.flush()
      broker.emit(Day, { on: NEW_YEAR })
      await until(() => seen.length === 1)
      expect(seen).toEqual([[new Date(NEW_YEAR), `{"on":"${NEW_YEAR}"}`]])
    },
  )

  it.each(Object.entries(dated))('refuses what a %s schema does not take', async (_, Day) => {
    const events: BrokerEvent[] = []
    const broker = await openIn(place, {}, events)
    broker.emit(Day, { on: 'never' })
    expect(events).toMatchObject([
      {
        type: 'emit-failed',
        error: {
          code: 'VALIDATION_FAILED',
          details: { topic: 'day.passed', issues: [{ message: expect.any(String) as string }] },
        },
      },
    ])
  })

  it('tells of an invalid message by an event with its issues, and calls no handler', async () => {
    const events: BrokerEvent[] = []
    const broker = await openIn(place, {}, events)
    const seen: unknown[] = []
    broker.subscribe(dated.zod, ({ data }) => void seen.push(data.on.getTime()))
    await broker.flush()
    broker.emit('day.passed', { on: 'never' })
    broker.emit('day.passed', { on: NEW_YEAR })
    await until(() => seen.length === 1)
    expect(events).toEqual([
      {
        type: 'message-invalid',
        pattern: 'day.passed',
        topic: 'day.passed',
        error: expect.objectContaining({
          code: 'VALIDATION_FAILED',
          details: expect.objectContaining({
            issues: [expect.objectContaining({ path: ['on'] })],
          }) as unknown,
        }) as unknown,
      },
    ])
  })

  it.each([
    ['both', 'emit-failed'],
    ['publish', 'emit-failed'],
    ['receive', 'message-invalid'],
    ['none', undefined],
  ] as const)('validates where %s says', async (validate, told) => {
    const events: BrokerEvent[] = []
    const broker = await openIn(place, { validate }, events)
    const Count = event('count', z.number().transform(String))
    const seen: unknown[] = []
    broker.subscribe(Count, ({ data }) => void seen.push(data))
    await broker.flush()
    broker.emit(Count, 'text' as never)
    broker.emit(Count, 7)
    await until(() => seen.includes(7) || seen.includes('7'))
    const isRefined = validate === 'both' || validate === 'receive'
    expect(seen).toEqual([...(validate === 'none' ? ['text'] : []), isRefined ? '7' : 7])
    expect(events.map((one) => one.type)).toEqual(told === undefined ? [] : [told])
  })

  it('lets a definition say otherwise than the broker', async () => {
    const events: BrokerEvent[] = []
    const broker = await openIn(place, { validate: 'none' }, events)
    const Count = event('count', z.number(), { validate: 'publish' })
    broker.emit(Count, 'text' as never)
    expect(events).toMatchObject([{ type: 'emit-failed', error: { code: 'VALIDATION_FAILED' } }])
  })

  it('answers an invalid question with status 400, and calls no responder', async () => {
    const broker = await openIn(place)
    const Half = query('half', z.number(), { reply: z.number().transform(String) })
    broker.respond(Half, ({ data }) => data / 2)
    await broker.flush()
    expect(await broker.request(Half, 7)).toBe('3.5')
    await expect(broker.request('half', 'seven')).rejects.toMatchObject({
      code: 'REPLY_FAILED',
      details: { status: 400, reason: expect.stringContaining('expected number') as string },
    })
  })
})

/** A schema that has to ask somebody, and takes longer for some than for others. */
const waited: ((value: number) => void)[] = []
const slowNumber: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      new Promise((resolve) => {
        waited.push(() =>
          resolve(
            typeof value === 'number' ? { value } : { issues: [{ message: 'must be a number' }] },
          ),
        )
      }),
  },
}
const release = async (): Promise<void> => {
  await until(() => waited.length > 0)
  for (const go of waited.splice(0)) go(0)
}

describe('a schema that is asynchronous', () => {
  const Slow = event('slow', slowNumber)

  it('is refused by emit with a hint', async () => {
    const broker = await openIn('memory')
    expect(() => broker.emit(Slow, 1)).toThrowError(coded('ASYNC_SCHEMA'))
    waited.length = 0
  })

  it('keeps the order of what is published', async () => {
    const broker = await openIn('memory')
    await broker.stream('slow', { topics: 'slow' })
    const receipts = [1, 2].map((each) => broker.publish(Slow, each, { id: `n${each}` }))
    await until(() => waited.length === 2)
    const [first, second] = waited.splice(0)
    second!(0)
    await new Promise((resolve) => setImmediate(resolve))
    first!(0)
    expect((await Promise.all(receipts)).map(({ sequence }) => sequence)).toEqual([1, 2])
    const wrong = broker.publish(Slow, 'text' as never)
    await release()
    await expect(wrong).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  it('is awaited by subscribers, responders and who requests', async () => {
    const events: BrokerEvent[] = []
    const broker = await openIn('memory', {}, events)
    const seen: number[] = []
    broker.subscribe(event('slow', slowNumber, { validate: 'receive' }), ({ data }) => {
      seen.push(data)
    })
    broker.emit('slow', 1)
    broker.emit('slow', 'text')
    await release()
    await release()
    await until(() => events.length === 1)
    expect(seen).toEqual([1])
    expect(events[0]).toMatchObject({ type: 'message-invalid' })

    const Double = query('double', slowNumber, { reply: slowNumber })
    broker.respond(Double, ({ data }) => data * 2)
    const answer = broker.request(Double, 4)
    let isAnswered = false
    void answer.then(() => (isAnswered = true))
    const settle = async (): Promise<void> => {
      while (!isAnswered) {
        for (const go of waited.splice(0)) go(0)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await settle()
    expect(await answer).toBe(8)
  })
})

class Account {
  readonly owner: string
  readonly opened: string
  readonly #secret = 'made by the constructor'
  constructor(owner: string, opened: Date) {
    this.owner = owner
    this.opened = opened.toISOString()
  }
  get year(): number {
    return new Date(this.opened).getFullYear()
  }
  greet(): string {
    return `hello ${this.owner}`
  }
  tell(): string {
    return this.#secret
  }
}

class Money {
  readonly cents: bigint
  constructor(cents: bigint) {
    this.cents = cents
  }
  toJSON(): string {
    return String(this.cents)
  }
  static fromJSON(data: unknown): Money {
    if (typeof data !== 'string') throw new Error('must be a text of cents')
    return new Money(BigInt(data))
  }
}

describe('a class in the place of a schema', () => {
  const Opened = event('account.opened', Account)

  it.each(['memory', 'server'])(
    'is revived in %s with its methods and accessors',
    async (place) => {
      const broker = await openIn(place)
      const seen: Account[] = []
      broker.subscribe(Opened, ({ data }) => void seen.push(data))
      await broker.flush()
      broker.emit(Opened, new Account('Ann', new Date(NEW_YEAR)))
      await until(() => seen.length === 1)
      expect(seen[0]).toBeInstanceOf(Account)
      expect([seen[0]!.greet(), seen[0]!.owner, seen[0]!.opened]).toEqual([
        'hello Ann',
        'Ann',
        NEW_YEAR,
      ])
      expect(seen[0]!.year).toBe(new Date(NEW_YEAR).getFullYear())
      // Private fields are the constructor's, which did not run for what came as bytes.
      if (place === 'server') expect(() => seen[0]!.tell()).toThrowError(TypeError)
    },
  )

  it('runs neither the constructor nor a setter, and leaves the prototype alone', async () => {
    let calls = 0
    class Guarded {
      constructor() {
        calls += 1
      }
      set size(_: number) {
        calls += 1
      }
    }
    const broker = await openIn('memory')
    const seen: object[] = []
    broker.subscribe(event('g', Guarded), ({ data }) => void seen.push(data))
    broker.emit('g', JSON.parse('{"size":1,"__proto__":{"evil":true},"constructor":2}'))
    expect(calls).toBe(0)
    expect(Object.getPrototypeOf(seen[0])).toBe(Guarded.prototype)
    expect(Object.entries(seen[0]!)).toEqual(
      expect.arrayContaining([
        ['size', 1],
        ['constructor', 2],
      ]),
    )
    expect('evil' in seen[0]!).toBe(false)
  })

  it('is made by its own fromJSON where it has one', async () => {
    const events: BrokerEvent[] = []
    const broker = await openIn('server', {}, events)
    const Paid = event('paid', Money)
    const seen: Money[] = []
    broker.subscribe(Paid, ({ data }) => void seen.push(data))
    await broker.flush()
    broker.emit('paid', 5)
    broker.emit(Paid, new Money(700n))
    await until(() => seen.length === 1)
    expect(seen[0]!.cents).toBe(700n)
    expect(events).toMatchObject([
      { type: 'message-invalid', error: { message: 'paid: must be a text of cents' } },
    ])
  })

  it('takes objects only', async () => {
    const broker = await openIn('memory')
    await broker.stream('accounts', { topics: Opened })
    for (const wrong of [null, 'text', 7, [1]]) {
      const refused = broker.publish(Opened, wrong as never)
      await expect(refused).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    }
  })
})

describe('definitions', () => {
  it('refuse what is no schema, no topic, no type and no option', () => {
    const define = event as (...given: unknown[]) => unknown
    expect(() => define('a', {})).toThrowError(coded('DEFINITION_INVALID'))
    expect(() => define('a', () => {})).toThrowError(coded('DEFINITION_INVALID'))
    expect(() => define(5)).toThrowError(coded('DEFINITION_INVALID'))
    expect(() => define('{only}.{parameters}')).toThrowError(coded('DEFINITION_INVALID'))
    expect(() => define('a', undefined, { tipe: 'b' })).toThrowError(coded('OPTION_INVALID'))
    expect(() => define('a', undefined, { validate: 'twice' })).toThrowError(
      coded('OPTION_INVALID'),
    )
    expect(event('eu.{city}.joined', undefined, { type: 'joined' }).type).toBe('joined')
    expect(event('eu.{city}.joined').type).toBe('eu.joined')
  })

  it('report a schema that throws as a validation that failed', async () => {
    const events: BrokerEvent[] = []
    const broker = await openIn('memory', {}, events)
    const broken = event('broken', {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw new Error('out of order')
        },
      },
    })
    broker.emit(broken, 1)
    expect(events).toMatchObject([
      {
        type: 'emit-failed',
        error: { code: 'VALIDATION_FAILED', message: 'broken: the schema failed: out of order' },
      },
    ])
  })
})
