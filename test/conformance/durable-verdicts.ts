// What becomes of a message after it was handed out: settled, given back, given up, or not answered at all.
import assert from 'node:assert/strict'
import type { Consumer } from '../../src/engine/index.js'
import { durableChapter } from './durable-chapter.js'
import { hasMovableTime, SHORT_MS, type DurableCase, type DurableStage } from './durable-stage.js'
import { numberBodies } from './kept-message.js'
import { acknowledgeSafely, acknowledging, type MemberRecorder } from './member-recorder.js'
import { codeOf } from './stage.js'

/** A consumer with one message in flight. */
async function handOutOne(
  stage: DurableStage,
  terms: Parameters<DurableStage['createConsumer']>[1] = {},
): Promise<{ consumer: Consumer; member: MemberRecorder; token: number }> {
  const stream = await stage.createStream()
  await stage.store('orders.a', { body: '1' })
  const consumer = await stage.createConsumer(stream, terms)
  const member = stage.join(consumer)
  await member.received(1)
  return { consumer, member, token: member.tokens[0]! }
}

const verdicts: readonly (readonly [
  name: string,
  give: (consumer: Consumer, token: number) => boolean,
])[] = [
  ['acknowledge', (consumer, token) => consumer.acknowledge(token)],
  ['release', (consumer, token) => consumer.release(token)],
  ['retry', (consumer, token) => consumer.retry(token, 60_000)],
  ['reject', (consumer, token) => consumer.reject(token, 'no good')],
  ['extend', (consumer, token) => consumer.extend(token)],
]

const settling: readonly DurableCase[] = [
  {
    name: 'never hands out again what was acknowledged',
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage, { ackWaitMs: SHORT_MS })
      assert.equal(consumer.acknowledge(token), true)
      await stage.advance(3 * SHORT_MS)
      assert.equal(member.items.length, 1)
      const { floorSequence, inFlight } = await consumer.info()
      assert.deepEqual({ floorSequence, inFlight }, { floorSequence: 1, inFlight: 0 })
    },
  },
  {
    name: 'says when an acknowledgement is safe, for each in order',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 20))
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await member.received(20)
      const safe: number[] = []
      await Promise.all(
        member.tokens.map((token) =>
          acknowledgeSafely(consumer, token).then(() => safe.push(token)),
        ),
      )
      assert.deepEqual(safe, member.tokens)
      assert.equal((await consumer.info()).floorSequence, 20)
    },
  },
  {
    name: 'takes acknowledgements in any order',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 6))
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await member.received(6)
      const floors: number[] = []
      for (const i of [5, 1, 0, 3, 2, 4]) {
        await acknowledgeSafely(consumer, member.tokens[i]!)
        floors.push((await consumer.info()).floorSequence)
      }
      assert.deepEqual(floors, [0, 0, 2, 2, 4, 6])
    },
  },
  {
    name: 'takes an acknowledgement within the hand-out',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 10))
      const results: boolean[] = []
      const consumer = await stage.createConsumer(stream, { maxInFlight: 1 })
      const member = stage.join(consumer, {
        during: ({ token }) => results.push(consumer.acknowledge(token)),
      })
      await member.received(10)
      assert.deepEqual(results, Array(10).fill(true))
      assert.deepEqual(member.bodies, numberBodies(1, 10))
    },
  },
]

const givingBack: readonly DurableCase[] = [
  {
    name: 'hands out again what was released, at once, and does not count the attempt',
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage, { maxDeliveries: 2 })
      assert.equal(consumer.release(token), true)
      for (let hand = 2; hand <= 5; hand++) {
        await member.received(hand)
        assert.equal(consumer.release(member.tokens.at(-1)!), true)
      }
      await member.received(6)
      assert.deepEqual(member.deliveryCounts, [1, 1, 1, 1, 1, 1])
      assert.deepEqual(new Set(member.bodies), new Set(['1']))
    },
  },
  {
    name: 'hands out again what is to be retried, at once when nobody says when, and counts the attempt',
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage)
      assert.equal(consumer.retry(token), true)
      await member.received(2)
      assert.deepEqual(member.deliveryCounts, [1, 2])
      assert.notEqual(member.tokens[1], token)
    },
  },
  {
    name: 'hands out again after the delay of a retry, not before, and others meanwhile',
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage)
      consumer.retry(token, 2_000)
      await stage.store('orders.a', { body: '2' })
      await member.received(2)
      await stage.advance(1_000)
      assert.deepEqual(member.bodies, ['1', '2'])
      assert.equal((await consumer.info()).redelivering, 1)
      await stage.advance(1_300)
      await member.received(3)
      assert.deepEqual(member.bodies, ['1', '2', '1'])
      assert.equal(member.deliveryCounts[2], 2)
    },
  },
  {
    name: 'retries each message at its own time',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['30', '10', '20'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, {
        during({ token, body, deliveryCount }) {
          if (deliveryCount === 1) consumer.retry(token, Number(body) * 1_000)
        },
      })
      await member.received(3)
      for (let step = 0; step < 3; step++) await stage.advance(10_500)
      assert.deepEqual(member.bodies.slice(3), ['10', '20', '30'])
    },
  },
  {
    name: 'retries after 60 days, not a day less',
    needs: hasMovableTime,
    async run(stage) {
      const dayMs = 86_400_000
      const { consumer, member, token } = await handOutOne(stage)
      consumer.retry(token, 60 * dayMs)
      for (const days of [25, 25, 9]) {
        await stage.advance(days * dayMs)
        assert.equal(member.items.length, 1)
      }
      await stage.advance(dayMs + 1)
      await member.received(2)
    },
  },
  {
    name: 'waits between attempts as the backoff says, the last wait again and again',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream, { backoffMs: [1_000, 5_000] })
      const member = stage.join(consumer, { during: ({ token }) => consumer.retry(token) })
      const counts: number[] = []
      for (const durationMs of [0, 900, 200, 4_500, 800, 4_500, 800]) {
        await stage.advance(durationMs)
        counts.push(member.items.length)
      }
      assert.deepEqual(counts, [1, 1, 2, 2, 3, 3, 4])
      assert.deepEqual(member.deliveryCounts, [1, 2, 3, 4])
    },
  },
  {
    name: 'prefers the delay of a retry to the backoff',
    needs: hasMovableTime,
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage, { backoffMs: [60_000] })
      consumer.retry(token, 1_000)
      await stage.advance(1_500)
      assert.equal(member.items.length, 2)
    },
  },
  {
    name: 'hands out what is due again before what is new',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 2 })
      await member.received(2)
      consumer.release(member.tokens[0]!)
      member.grant(2)
      await member.received(4)
      assert.deepEqual(member.bodies, ['1', '2', '1', '3'])
    },
  },
]

const waiting: readonly DurableCase[] = [
  {
    name: 'hands out again what nobody answered in time, and says that the hand-out is over',
    async run(stage) {
      const { member, token } = await handOutOne(stage, { ackWaitMs: SHORT_MS })
      await stage.advance(2 * SHORT_MS)
      await member.received(2)
      assert.deepEqual(member.expirations.items.slice(0, 1), [token])
      assert.deepEqual(member.deliveryCounts.slice(0, 2), [1, 2])
      assert.deepEqual(member.bodies.slice(0, 2), ['1', '1'])
    },
  },
  {
    name: 'waits as long as it should, to the second',
    needs: hasMovableTime,
    async run(stage) {
      const { member } = await handOutOne(stage, { ackWaitMs: 30_000 })
      await stage.advance(29_000)
      assert.equal(member.items.length, 1)
      await stage.advance(2_000)
      assert.equal(member.items.length, 2)
      await stage.advance(28_000)
      assert.equal(member.items.length, 2)
      await stage.advance(2_000)
      assert.deepEqual(member.deliveryCounts, [1, 2, 3])
    },
  },
  {
    name: 'waits anew when a hand-out is extended',
    needs: hasMovableTime,
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage, { ackWaitMs: 30_000 })
      for (let i = 0; i < 5; i++) {
        await stage.advance(20_000)
        assert.equal(consumer.extend(token), true)
      }
      assert.equal(member.items.length, 1)
      assert.equal(consumer.acknowledge(token), true)
      await stage.advance(60_000)
      assert.equal(member.items.length, 1)
    },
  },
  {
    name: 'extends one hand-out and no other',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const consumer = await stage.createConsumer(stream, { ackWaitMs: 30_000 })
      const member = stage.join(consumer)
      await member.received(3)
      await stage.advance(20_000)
      consumer.extend(member.tokens[1]!)
      await stage.advance(15_000)
      assert.deepEqual([...member.bodies.slice(3)].sort(), ['1', '3'])
      assert.deepEqual([...member.expirations.items].sort(), [member.tokens[0], member.tokens[2]])
    },
  },
  {
    name: 'waits for each attempt as long as the backoff says',
    needs: hasMovableTime,
    async run(stage) {
      const terms = { ackWaitMs: 30_000, backoffMs: [1_000, 5_000] }
      const { member } = await handOutOne(stage, terms)
      const counts: number[] = []
      for (const durationMs of [900, 200, 4_500, 800, 4_500, 800]) {
        await stage.advance(durationMs)
        counts.push(member.items.length)
      }
      assert.deepEqual(counts, [1, 2, 2, 3, 3, 4])
    },
  },
  {
    name: 'keeps what nobody answered while there is no credit to hand it out again',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream, { ackWaitMs: 1_000, maxDeliveries: 3 })
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      await stage.advance(60_000)
      assert.equal(member.items.length, 1)
      member.grant(1)
      await member.received(2)
      assert.equal(member.deliveryCounts[1], 2)
    },
  },
  {
    name: 'hands out no more often than it may',
    needs: hasMovableTime,
    async run(stage) {
      const { member } = await handOutOne(stage, { ackWaitMs: 1_000, maxDeliveries: 3 })
      for (let i = 0; i < 6; i++) await stage.advance(1_500)
      assert.deepEqual(member.deliveryCounts, [1, 2, 3])
    },
  },
  {
    name: 'hands out without end where no end is set',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, {
        during({ token, deliveryCount }) {
          if (deliveryCount < 50) consumer.retry(token)
          else consumer.acknowledge(token)
        },
      })
      await member.received(50)
      assert.equal(member.deliveryCounts.at(-1), 50)
    },
  },
]

const staleness: readonly DurableCase[] = [
  ...verdicts.map(([name, give]): DurableCase => ({
    name: `refuses to ${name} a message whose wait is over`,
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage, { ackWaitMs: SHORT_MS })
      member.revoke()
      await stage.advance(2 * SHORT_MS)
      assert.equal(give(consumer, token), false)
      member.grant(1)
      await member.received(2)
      assert.equal(give(consumer, token), false)
      assert.equal((await consumer.info()).floorSequence, 0)
    },
  })),
  ...verdicts.map(([name, give]): DurableCase => ({
    name: `refuses to ${name} a message that was acknowledged, or never handed out`,
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage)
      consumer.acknowledge(token)
      for (const stale of [token, 0, 2, 99, -1]) {
        assert.equal(give(consumer, stale), false, String(stale))
      }
      await stage.settle()
      assert.equal(member.items.length, 1)
    },
  })),
  ...verdicts.map(([name, give]): DurableCase => ({
    name: `refuses to ${name} a message whose member has left`,
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage)
      member.leave()
      assert.equal(give(consumer, token), false)
      const next = stage.join(consumer)
      await next.received(1)
      assert.equal(give(consumer, token), false)
      assert.equal(give(consumer, next.tokens[0]!), true)
    },
  })),
  ...verdicts
    .filter(([name]) => name !== 'extend')
    .map(([name, give]): DurableCase => ({
      name: `takes one verdict for a hand-out: after ${name} no other`,
      async run(stage) {
        const { consumer, token } = await handOutOne(stage)
        assert.equal(give(consumer, token), true)
        for (const [other, giveOther] of verdicts) {
          assert.equal(giveOther(consumer, token), false, other)
        }
      },
    })),
  {
    name: 'says TOKEN_STALE to who wants to know whether a late acknowledgement is safe',
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage, { ackWaitMs: SHORT_MS })
      member.revoke()
      await stage.advance(2 * SHORT_MS)
      assert.equal(await codeOf(() => acknowledgeSafely(consumer, token)), 'TOKEN_STALE')
    },
  },
  {
    name: 'lets a late verdict not harm the next attempt',
    async run(stage) {
      const { consumer, member, token } = await handOutOne(stage)
      consumer.release(token)
      await member.received(2)
      assert.equal(consumer.reject(token, 'too late'), false)
      await acknowledgeSafely(consumer, member.tokens[1]!)
      assert.equal((await consumer.info()).floorSequence, 1)
    },
  },
]

export const durableVerdictsChapter = durableChapter('durable: verdicts', [
  ...settling,
  ...givingBack,
  ...waiting,
  ...staleness,
  {
    name: 'gives tokens 1, 2, 3 … over all members and attempts',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 30))
      const consumer = await stage.createConsumer(stream)
      const tokens: number[] = []
      for (let i = 0; i < 3; i++) {
        stage.join(consumer, {
          during(delivery) {
            tokens.push(delivery.token)
            if (delivery.deliveryCount < 3) consumer.retry(delivery.token)
            else consumer.acknowledge(delivery.token)
          },
        })
      }
      await stage.settle()
      assert.deepEqual(
        [...tokens].sort((a, b) => a - b),
        Array.from({ length: 90 }, (_, i) => i + 1),
      )
      assert.equal((await consumer.info()).lastToken, 90)
    },
  },
  {
    name: 'goes on after a message that fails every time',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 10))
      const consumer = await stage.createConsumer(stream, { maxDeliveries: 3 })
      const done: string[] = []
      stage.join(consumer, {
        during(delivery, member) {
          if (delivery.body === '4') consumer.retry(delivery.token)
          else {
            done.push(delivery.body)
            acknowledging(delivery, member)
          }
        },
      })
      await stage.settle()
      assert.deepEqual(
        done,
        numberBodies(1, 10).filter((body) => body !== '4'),
      )
      assert.equal((await consumer.info()).floorSequence, 10)
    },
  },
])
