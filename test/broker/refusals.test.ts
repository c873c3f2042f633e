// What is refused where it is written, alike inside one process and over a network, and who is told.
import { afterEach, describe, expect, it } from 'vitest'
import { event, openBroker, type Broker, type BrokerEvent } from '../../src/broker/index.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { Server } from '../../src/server/index.js'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function openIn(place: string, events: BrokerEvent[] = []): Promise<Broker> {
  const onEvent = (one: BrokerEvent): void => void events.push(one)
  if (place === 'memory') {
    const broker = await openBroker({ onEvent })
    cleanUps.push(() => broker.close())
    return broker
  }
  const engine = new EmbeddedEngine()
  const server = new Server({ host: '127.0.0.1', port: 0 }, { engine })
  await server.start()
  const broker = await openBroker({ url: server.url, onEvent })
  cleanUps.push(
    () => engine.close(),
    () => server.stop(),
    () => broker.close({ drain: '1s' }),
  )
  return broker
}

/** As a caller without types would write it. */
const untyped = (value: unknown): never => value as never

describe.each(['memory', 'server'])('refusals in %s', (place) => {
  it.each(['q 9\r\nPUB injected 1\r\nx\r\nSUB zz', '', 'a b', 'a\u0000', 5, null])(
    'takes no group %j',
    async (group) => {
      const broker = await openIn(place)
      expect(() => broker.subscribe('g', () => {}, { group: untyped(group) })).toThrowError(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
      await broker.flush()
    },
  )

  it.each([undefined, null, 5, {}])('takes no target %j', async (target) => {
    const broker = await openIn(place)
    const coded = expect.objectContaining({ code: 'OPTION_INVALID' }) as Error
    const { emit } = broker as unknown as { emit(target: unknown, data: unknown): void }
    expect(() => emit.call(broker, target, 1)).toThrowError(coded)
    expect(() => broker.subscribe(untyped(target), () => {})).toThrowError(coded)
  })

  it.each(['a'.repeat(5_000), 'ü'.repeat(2_000), '\ud800'])(
    'takes no topic that cannot travel',
    async (topic) => {
      const broker = await openIn(place)
      expect(() => broker.emit(topic, 1)).toThrowError(
        expect.objectContaining({ code: 'TOPIC_INVALID' }),
      )
      expect(() => broker.subscribe(topic, () => {})).toThrowError(
        expect.objectContaining({ code: 'PATTERN_INVALID' }),
      )
    },
  )

  it.each([{ 'a b': 'c' }, { a: 'x\r\ny: z' }, { '': 'x' }, { a: 5 }, null, 'text', [1]])(
    'reports the headers %j as an emit that failed',
    async (headers) => {
      const events: BrokerEvent[] = []
      const broker = await openIn(place, events)
      broker.emit('h', 1, { headers: untyped(headers) })
      expect(events).toEqual([
        expect.objectContaining({
          type: 'emit-failed',
          error: expect.objectContaining({ code: 'HEADER_INVALID' }) as unknown,
        }),
      ])
    },
  )

  it('tells who asks that a full responder refused the request', async () => {
    const broker = await openIn(place)
    let finish = (): void => {}
    const busy = new Promise<void>((resolve) => (finish = resolve))
    broker.respond('busy', () => busy.then(() => 'done'), { concurrency: 1, capacity: 1 })
    await broker.flush()
    const answers = [1, 2, 3].map((each) => broker.request('busy', each, { timeout: '20s' }))
    await expect(answers[2]).rejects.toMatchObject({ code: 'QUEUE_OVERFLOW', retryable: true })
    finish()
    expect(await Promise.all(answers.slice(0, 2))).toEqual(['done', 'done'])
  })
})

it('takes no unknown overflow policy, no empty url and no parameter called __proto__', async () => {
  const broker = await openIn('memory')
  const coded = (code: string) => expect.objectContaining({ code }) as Error
  expect(() => broker.subscribe('a', () => {}, { overflow: untyped('bogus') })).toThrowError(
    coded('OPTION_INVALID'),
  )
  await expect(openBroker({ url: '' })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  expect(() => event('p.{__proto__}')).toThrowError(coded('DEFINITION_INVALID'))
})
