// The ways of using a broker, each of which must give back all that it took. `cycles` says how often; what writes to a disk or waits
// for a timer is repeated less.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBroker } from 'fanfare'

const noop = () => {}
const silent = { onEvent: noop }

export async function openPlace() {
  const live = await openBroker(silent)
  const durable = await openBroker(silent)
  const work = await durable.stream('work', { topics: ['work.>'], maxMessages: 100 })
  await durable.publish('work.kept', 'kept')
  const lasting = new AbortController().signal
  // The engine remembers topics, as many as this and no more.
  for (let n = 0; n < 20_000; n++) live.emit(`early.topic${n}`, n)
  live.respond('square', ({ data }) => data ** 2)
  live.respond('fails', () => Promise.reject(new Error('on purpose')))
  return { live, durable, work, lasting, brokers: [live, durable], signals: [lasting] }
}

async function times(cycles, cycle) {
  for (let i = 0; i < cycles; i++) await cycle(i)
}

async function endOf(promise) {
  await promise.then(noop, noop)
}

export function programsOf({ live, durable, work, lasting }) {
  const untilAborted = async (begin) => {
    const controller = new AbortController()
    const begun = begin(controller.signal)
    controller.abort()
    await endOf(begun)
  }

  const livePrograms = {
    'subscribe, abort': [
      100_000,
      (i) => {
        const controller = new AbortController()
        const subscription = live.subscribe(`price.${i % 100}`, noop, { signal: controller.signal })
        live.emit(`price.${i % 100}`, i)
        controller.abort()
        return subscription.isClosed
      },
    ],
    'subscribe, close': [
      20_000,
      (i) => live.subscribe(`price.${i % 100}`, noop, { signal: lasting }).close(),
    ],
    'subscribe, drain': [
      20_000,
      () => live.subscribe('price.*', noop, { signal: lasting }).drain(),
    ],
    'subscribe in a group, close': [
      20_000,
      () => live.subscribe('price.*', noop, { group: 'screens', signal: lasting }).close(),
    ],
    'subscribe by ever new patterns, close': [
      20_000,
      (i) => live.subscribe(`price.p${i}.*`, noop).close(),
    ],
    'emit to ever new topics': [20_000, (i) => live.emit(`new.topic${i}`, i)],
    'handlers that throw': [
      10_000,
      async () => {
        const broken = live.subscribe('broken', () => {
          throw new Error('on purpose')
        })
        live.emit('broken', 1)
        await broken.close()
      },
    ],
    'a queue that is full when it is closed': [
      2_000,
      async () => {
        const options = { capacity: 10, overflow: 'wait', signal: lasting }
        let release = noop
        const slow = live.subscribe('slow', () => new Promise((go) => (release = go)), options)
        for (let n = 0; n < 30; n++) live.emit('slow', n)
        const flushed = live.flush({ signal: lasting })
        const closed = slow.close()
        release()
        await Promise.all([flushed, closed])
      },
    ],
    'a flush that is aborted': [
      2_000,
      async () => {
        const options = { capacity: 1, overflow: 'wait' }
        let release = noop
        const slow = live.subscribe('slow', () => new Promise((go) => (release = go)), options)
        for (let n = 0; n < 3; n++) live.emit('slow', n)
        await untilAborted((signal) => live.flush({ signal }))
        const closed = slow.close()
        release()
        await closed
      },
    ],
    'a loop that is left': [
      10_000,
      async () => {
        const prices = live.messages('price.*', { signal: lasting })
        for (let n = 0; n < 3; n++) live.emit('price.AAPL', n)
        for await (const { data } of prices) if (data === 1) break
      },
    ],
    'a loop that throws': [
      10_000,
      async () => {
        const prices = live.messages('price.*', { signal: lasting })
        live.emit('price.AAPL', 1)
        const loop = async () => {
          for await (const { data } of prices) throw new Error(`on purpose: ${data}`)
        }
        await endOf(loop())
      },
    ],
    'a loop that is aborted while it waits': [
      10_000,
      () =>
        untilAborted(async (signal) => {
          for await (const { data } of live.messages('price.*', { signal })) noop(data)
        }),
    ],
    'an iterator that is never asked': [
      10_000,
      () => live.messages('price.*', { signal: lasting }).return(),
    ],
    'requests that are answered': [10_000, () => live.request('square', 7, { signal: lasting })],
    'requests whose responder throws': [
      5_000,
      () => endOf(live.request('fails', 7, { signal: lasting })),
    ],
    'requests that nobody answers': [
      10_000,
      () => endOf(live.request('nobody', 7, { signal: lasting })),
    ],
    'requests that are refused': [
      2_000,
      async () => {
        const options = { concurrency: 1, capacity: 1, group: 'other' }
        let release = noop
        const busy = live.respond('busy', () => new Promise((go) => (release = go)), options)
        const asked = [1, 2, 3].map((n) => endOf(live.request('busy', n, { signal: lasting })))
        await asked[2]
        release()
        await asked[0]
        release()
        await Promise.all([...asked, busy.close()])
      },
    ],
    'responding, closed': [10_000, () => live.respond('other', noop, { signal: lasting }).close()],
  }

  const batches = {
    '1,000,000 messages': [
      1_000_000,
      async (cycles) => {
        let seen = 0
        const subscription = live.subscribe('tick', () => void (seen += 1))
        for (let n = 0; n < cycles; n++) live.emit('tick', n)
        await subscription.close()
        if (seen !== cycles) throw new Error(`${seen} of ${cycles} messages arrived`)
      },
    ],
    'requests that time out': [
      3_000,
      async (cycles) => {
        const listening = live.subscribe('unheard', noop)
        const options = { timeout: 1, signal: lasting }
        const asked = Array.from({ length: cycles }, (_, n) => live.request('unheard', n, options))
        await Promise.all(asked.map(endOf))
        await listening.close()
      },
    ],
    'requests that are aborted': [
      3_000,
      async (cycles) => {
        const listening = live.subscribe('unheard', noop)
        await times(cycles, () => untilAborted((signal) => live.request('unheard', 1, { signal })))
        await listening.close()
      },
    ],
  }

  const durablePrograms = {
    publish: [20_000, () => durable.publish('work.a', 1, { timeout: '10s', signal: lasting })],
    'publish, aborted': [
      5_000,
      () => untilAborted((signal) => durable.publish('work.a', 1, { signal })),
    ],
    'publish where no stream is': [
      5_000,
      () => endOf(durable.publish('nowhere', 1, { timeout: '10s', signal: lasting })),
    ],
    'consume, close': [
      1_000,
      async () => {
        const consumption = await durable.consume('worker', 'work.>', noop, { signal: lasting })
        await durable.publish('work.a', 1)
        await consumption.close()
      },
    ],
    'consume, abort': [
      1_000,
      async () => {
        const controller = new AbortController()
        const { signal } = controller
        await durable.consume('worker', 'work.>', noop, { signal })
        await durable.publish('work.a', 1)
        controller.abort()
      },
    ],
    'consume by handlers that throw': [
      500,
      async () => {
        let failures = 0
        let failed = noop
        const enough = new Promise((resolve) => (failed = resolve))
        const options = { from: 'new', retry: { attempts: 2, backoff: 0 }, deadLetter: false }
        const handler = () => {
          if (++failures === 2) failed()
          throw new Error('on purpose')
        }
        const consumption = await durable.consume('breaker', 'work.>', handler, options)
        await durable.publish('work.a', 1)
        await enough
        await consumption.close()
        await work.deleteConsumer('breaker')
      },
    ],
    'consume exactly once, close': [
      500,
      async () => {
        let done = noop
        const handled = new Promise((resolve) => (done = resolve))
        const options = { from: 'new', delivery: 'exactly-once', signal: lasting }
        const handler = (message, tx) => {
          if (message.topic === 'work.b') return done()
          if (message.topic === 'work.a') tx.publish('work.b', 1)
        }
        const consumption = await durable.consume('payer', 'work.>', handler, options)
        await durable.publish('work.a', 1)
        await handled
        await consumption.close()
        await work.deleteConsumer('payer')
      },
    ],
    transactions: [
      3_000,
      () => durable.transaction((tx) => tx.publish('work.a', 1), { signal: lasting }),
    ],
    'transactions that throw': [
      3_000,
      () =>
        endOf(
          durable.transaction(
            (tx) => {
              tx.publish('work.a', 1)
              throw new Error('on purpose')
            },
            { signal: lasting },
          ),
        ),
    ],
    'transactions that are aborted': [
      3_000,
      () =>
        untilAborted((signal) =>
          durable.transaction(
            async (tx) => {
              tx.publish('work.a', 1)
              await new Promise(noop)
            },
            { signal },
          ),
        ),
    ],
    'reading that is left': [
      2_000,
      async () => {
        for await (const { sequence } of work.read({ signal: lasting })) if (sequence > 0) break
      },
    ],
    'following that is left': [
      500,
      async () => {
        for await (const { sequence } of work.read({ follow: true, signal: lasting })) {
          if (sequence > 0) break
        }
      },
    ],
    'following that is aborted': [
      500,
      async () => {
        const controller = new AbortController()
        const { signal } = controller
        const loop = async () => {
          for await (const { sequence } of work.read({ from: 'new', signal })) noop(sequence)
        }
        const looping = endOf(loop())
        await new Promise((resolve) => setImmediate(resolve))
        controller.abort()
        await looping
      },
    ],
    'streams that are made and deleted': [
      300,
      async () => {
        const stream = await durable.stream('passing', { topics: ['passing.>'] })
        await durable.publish('passing.a', 1)
        await stream.delete()
      },
    ],
  }

  const wholeBrokers = {
    'brokers in memory': [
      300,
      async () => {
        const broker = await openBroker(silent)
        broker.subscribe('price.*', noop, { signal: lasting })
        const loop = broker.messages('price.*', { signal: lasting })
        await broker.stream('orders', { topics: ['order.>'] })
        await broker.consume('worker', 'order.>', noop, { signal: lasting })
        await broker.publish('order.placed', 1)
        broker.emit('price.AAPL', 1)
        const asked = endOf(broker.request('price.AAPL', 1, { signal: lasting }))
        await Promise.all([broker.close(), asked, loop.next()])
      },
    ],
    'brokers on a directory': [
      20,
      async () => {
        const directory = mkdtempSync(join(tmpdir(), 'fanfare-leaks-'))
        const broker = await openBroker({ directory, ...silent })
        await broker.stream('orders', { topics: ['order.>'] })
        await broker.consume('worker', 'order.>', noop, { signal: lasting })
        await broker.publish('order.placed', 1)
        await broker.close()
        rmSync(directory, { recursive: true })
      },
    ],
  }

  const byCycle = Object.entries({ ...livePrograms, ...durablePrograms, ...wholeBrokers })
  return [
    ...Object.entries(batches).map(([name, [cycles, run]]) => ({ name, cycles, run })),
    ...byCycle.map(([name, [cycles, cycle]]) => {
      return { name, cycles, run: (count) => times(count, cycle) }
    }),
  ]
}
