// The cases that every durable message system should pass, whoever made it: they are named after those of Watermill's suite and
// adapted to streams and consumers. What concerns a handler's signal is a matter of the broker, above engines.
import assert from 'node:assert/strict'
import { durableChapter } from './durable-chapter.js'
import { overEveryEnding, SHORT_MS } from './durable-stage.js'
import { numberBodies, numbers } from './kept-message.js'
import { acknowledgeSafely, acknowledging } from './member-recorder.js'

const MESSAGES = 100

export const durableUniversalChapter = durableChapter('durable: universal', [
  {
    name: 'publish and subscribe: everything published arrives, whole',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream), { during: acknowledging })
      for (const i of numbers(1, MESSAGES)) {
        stage.publish('orders.a', { body: String(i), headers: [['Number', String(i)]] })
      }
      await member.received(MESSAGES)
      assert.deepEqual(member.bodies, numberBodies(1, MESSAGES))
      for (const { headerBlock, body } of member.items) {
        assert.ok(Buffer.from(headerBlock).toString().includes(`Number: ${body}\r\n`))
      }
    },
  },
  {
    name: 'concurrent subscribe: many members that come while messages do get each once',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const members = []
      for (const i of numbers(1, MESSAGES)) {
        stage.publish('orders.a', { body: String(i) })
        if (i % 5 === 0) members.push(stage.join(consumer, { during: acknowledging }))
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await stage.receipts.received(MESSAGES)
      await stage.settle()
      const sequences = members.flatMap((member) => member.sequences)
      assert.deepEqual(
        sequences.sort((a, b) => a - b),
        numbers(1, MESSAGES),
      )
    },
  },
  {
    name: 'concurrent subscribe to multiple topics: many streams at once keep apart',
    async run(stage) {
      const names = numbers(1, 20).map((i) => `stream-${i}`)
      const members = await Promise.all(
        names.map(async (name) => {
          const stream = await stage.createStream({ name })
          return stage.join(await stage.createConsumer(stream), { during: acknowledging })
        }),
      )
      for (const i of numbers(1, 50)) {
        for (const name of names) stage.publish(`${name}.x`, { body: `${name} ${i}` })
      }
      for (const [n, member] of members.entries()) {
        await member.received(50)
        assert.deepEqual(
          member.bodies,
          numbers(1, 50).map((i) => `${names[n]} ${i}`),
        )
      }
    },
  },
  {
    name: 'resend on error: what fails comes again, until it does not',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const handled: string[] = []
      stage.join(consumer, {
        during({ token, body, deliveryCount }) {
          if (deliveryCount <= Number(body) % 3) consumer.retry(token)
          else {
            consumer.acknowledge(token)
            handled.push(body)
          }
        },
      })
      await stage.storeAll('orders.a', numberBodies(1, MESSAGES))
      await stage.settle()
      assert.deepEqual(
        handled.sort((a, b) => Number(a) - Number(b)),
        numberBodies(1, MESSAGES),
      )
    },
  },
  {
    name: 'no acknowledgement: with one in flight, nothing follows before it is answered',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream, { maxInFlight: 1 })
      const member = stage.join(consumer)
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.bodies, ['1'])
      consumer.acknowledge(member.tokens[0]!)
      await member.received(2)
    },
  },
  {
    name: 'continue after a member left: the next one gets the rest, and all of it',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, MESSAGES))
      const consumer = await stage.createConsumer(stream)
      const handled: number[] = []
      for (let i = 0; i < 5; i++) {
        const member = stage.join(consumer, { credit: 30 })
        await member.until(
          () => member.items.length >= Math.min(30, MESSAGES - handled.length),
          'its share',
        )
        for (const { token, sequence } of member.items.slice(0, 20)) {
          await acknowledgeSafely(consumer, token)
          handled.push(sequence)
        }
        member.leave()
      }
      assert.deepEqual(
        handled.sort((a, b) => a - b),
        numbers(1, MESSAGES),
      )
    },
  },
  {
    name: 'concurrent close: members that leave while messages come harm nobody',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const leaving = numbers(1, 10).map(() => stage.join(consumer, { credit: 3 }))
      const staying = stage.join(consumer, { during: acknowledging })
      for (const i of numbers(1, MESSAGES)) {
        stage.publish('orders.a', { body: String(i) })
        if (i % 10 === 0) {
          leaving.pop()!.leave()
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      await staying.until(() => new Set(staying.bodies).size === MESSAGES, 'every message')
      await stage.settle()
      assert.equal(staying.items.length, MESSAGES)
    },
  },
  {
    name: 'continue after errors: members that fail and leave lose nothing',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 50))
      const consumer = await stage.createConsumer(stream)
      for (let i = 0; i < 3; i++) {
        const member = stage.join(consumer, {
          credit: 50,
          during: ({ token }) => consumer.retry(token, 0, 'failed'),
        })
        await member.received(50)
        member.leave()
      }
      const last = stage.join(consumer, { during: acknowledging })
      await last.until(() => new Set(last.bodies).size === 50, 'every message')
      assert.equal((await consumer.info()).floorSequence, 50)
    },
  },
  {
    name: 'publish and subscribe in order: each of several topics in its order',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream), { during: acknowledging })
      for (const i of numbers(1, MESSAGES)) {
        stage.publish(`orders.${i % 4}`, { body: String(i) })
        if (i % 9 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await member.received(MESSAGES)
      assert.deepEqual(member.bodies, numberBodies(1, MESSAGES))
    },
  },
  {
    name: 'topic: a consumer of one topic gets nothing of another',
    async run(stage) {
      const stream = await stage.createStream()
      const [one, two] = await Promise.all(
        ['one', 'two'].map(async (name) =>
          stage.join(await stage.createConsumer(stream, { name, topics: [`orders.${name}`] })),
        ),
      )
      await stage.store('orders.one', { body: '1' })
      await stage.store('orders.two', { body: '2' })
      await one!.received(1)
      await two!.received(1)
      await stage.settle()
      assert.deepEqual([one!.bodies, two!.bodies], [['1'], ['2']])
    },
  },
  {
    name: 'a new subscriber receives old messages',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, MESSAGES))
      for (const name of ['early', 'late']) {
        const member = stage.join(await stage.createConsumer(stream, { name }))
        await member.received(MESSAGES)
        assert.deepEqual(member.bodies, numberBodies(1, MESSAGES))
      }
    },
  },
  {
    name: 'consumer groups: each consumer gets everything, its members share it',
    async run(stage) {
      const stream = await stage.createStream()
      const groups = await Promise.all(
        ['one', 'two'].map(async (name) => {
          const consumer = await stage.createConsumer(stream, { name })
          return [1, 2, 3].map(() => stage.join(consumer, { during: acknowledging }))
        }),
      )
      await stage.storeAll('orders.a', numberBodies(1, MESSAGES))
      await stage.settle()
      for (const members of groups) {
        assert.deepEqual(
          members.flatMap(({ sequences }) => sequences).sort((a, b) => a - b),
          numbers(1, MESSAGES),
        )
      }
    },
  },
  {
    name: 'a slow member keeps a fast one from nothing',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { ackWaitMs: 4 * SHORT_MS })
      const slow = stage.join(consumer, { credit: 1 })
      await stage.store('orders.a', { body: '0' })
      await slow.received(1)
      const fast = stage.join(consumer, { during: acknowledging })
      await stage.storeAll('orders.a', numberBodies(1, MESSAGES))
      await fast.received(MESSAGES)
      assert.deepEqual(fast.bodies.slice(0, MESSAGES), numberBodies(1, MESSAGES))
    },
  },
  ...overEveryEnding('reconnect: publishes and consumes again and again', async (stage, reopen) => {
    const stream = await stage.createStream()
    await stage.createConsumer(stream)
    const handled: string[] = []
    for (let round = 0; round < 5; round++) {
      const bodies = numberBodies(round * 20 + 1, round * 20 + 20)
      const consumer = await stage.consumer()
      const member = stage.join(consumer)
      await stage.storeAll('orders.a', bodies)
      await member.received(20)
      for (const { token, body } of member.items) {
        await acknowledgeSafely(consumer, token)
        handled.push(body)
      }
      await reopen()
    }
    assert.deepEqual(handled, numberBodies(1, MESSAGES))
    assert.equal((await (await stage.consumer()).info()).floorSequence, MESSAGES)
  }),
])
