// What each layer of the API adds to one message on its way from a publisher to a handler of the same process: each row does what
// the row it is compared with does, and one thing more. Every handler adds to a counter, so that nothing is optimised away.
import { z } from 'zod'

const body = { symbol: 'AAPL', bid: 187.2, ask: 187.3 }
const schema = z.object({ symbol: z.string(), bid: z.number(), ask: z.number() })

/** `base`: the row that it is compared with. `run(count)` does `count` messages and resolves when all are handled. */
export const layers = [
  {
    name: 'contract: prebuilt bytes to a receiver',
    async open() {
      const { openBroker } = await import('../../../dist/broker/index.js')
      const { BytesMessage } = await import('../../../dist/engine/index.js')
      const broker = await openBroker()
      const { engine } = broker
      const handle = engine.topic('price.AAPL')
      const message = new BytesMessage(handle)
      message.setParts(new Uint8Array(0), new Uint8Array(0), Buffer.from(JSON.stringify(body)))
      const counter = { sum: 0 }
      engine.subscribe('price.AAPL', {
        deliver(received) {
          counter.sum += received.bodyEnd - received.bodyStart
          return true
        },
      })
      return each(broker, () => engine.publish(handle, message))
    },
  },
  {
    name: 'emit to a topic by name, data read',
    base: 'contract: prebuilt bytes to a receiver',
    open: () => openLive('price.AAPL', ({ data }) => data.bid),
  },
  {
    name: '… through a definition',
    base: 'emit to a topic by name, data read',
    open: ({ event }) => openLive(event('price.AAPL'), ({ data }) => data.bid),
  },
  {
    name: '… with a parameter in the topic',
    base: '… through a definition',
    open: ({ event }) =>
      openLive(event('price.{symbol}'), ({ params }) => params.symbol.length, {
        params: { symbol: 'AAPL' },
      }),
  },
  {
    name: '… with a schema (Zod, three fields)',
    base: '… through a definition',
    open: ({ event }) => openLive(event('price.AAPL', schema), ({ data }) => data.bid),
  },
  {
    name: '… whose envelope is read (id, time, type)',
    base: '… through a definition',
    open: ({ event }) =>
      openLive(
        event('price.AAPL'),
        ({ id, time, type }) => id.length + time.getTime() + type.length,
      ),
  },
  {
    name: '… whose bytes are read (envelope and JSON written)',
    base: '… through a definition',
    open: ({ event }) => openLive(event('price.AAPL'), ({ bytes }) => bytes.length),
  },
  {
    name: '… seen through another definition (JSON written and read)',
    base: '… whose bytes are read (envelope and JSON written)',
    open: ({ event }) =>
      openLive(event('price.AAPL'), ({ data }) => data.bid, undefined, event('price.AAPL')),
  },
  {
    name: 'request and respond, awaited one by one',
    base: 'emit to a topic by name, data read',
    async open({ openBroker }) {
      const broker = await openBroker()
      broker.respond('price.get', ({ data }) => data.bid)
      return {
        async run(count) {
          for (let i = 0; i < count; i += 1) await broker.request('price.get', body)
        },
        close: () => broker.close(),
      }
    },
  },
  {
    name: 'publish to a stream in memory, awaited by the thousand',
    base: '… whose bytes are read (envelope and JSON written)',
    async open({ openBroker }) {
      const broker = await openBroker()
      await broker.stream('prices', { topics: ['price.>'], maxMessages: 10_000 })
      return {
        async run(count) {
          for (let done = 0; done < count; done += 1_000) {
            const receipts = []
            for (let i = 0; i < 1_000; i += 1) receipts.push(broker.publish('price.AAPL', body))
            await Promise.all(receipts)
          }
        },
        close: () => broker.close(),
      }
    },
  },
]

async function openLive(target, read, options, source = target) {
  const { openBroker } = await import('../../../dist/broker/index.js')
  const broker = await openBroker()
  const counter = { sum: 0 }
  broker.subscribe(source, (message) => {
    counter.sum += read(message)
  })
  return options === undefined
    ? each(broker, () => broker.emit(target, body))
    : each(broker, () => broker.emit(target, body, options))
}

function each(broker, once) {
  return {
    async run(count) {
      for (let i = 0; i < count; i += 1) once()
    },
    close: () => broker.close(),
  }
}
