// Transactions: messages and acknowledgements that are committed together or not at all.
import assert from 'node:assert/strict'
import type { Consumer, Stream } from '../../src/engine/index.js'
import { durableChapter } from './durable-chapter.js'
import { SHORT_MS, type DurableStage } from './durable-stage.js'
import { bodiesOf, numberBodies } from './kept-message.js'
import type { MemberRecorder } from './member-recorder.js'
import { codeOf } from './stage.js'

const LARGE_BODY = new Uint8Array(1_024 * 1_024)
/** Nothing that takes this many large bodies at once is bounded. */
const LARGE_MESSAGES = 512

async function openTwo(stage: DurableStage): Promise<[Stream, Stream]> {
  return [await stage.createStream({ name: 'a' }), await stage.createStream({ name: 'b' })]
}

/** Streams a and b, and a message of a third in flight. */
async function openWithWork(
  stage: DurableStage,
  ackWaitMs = 30_000,
): Promise<{
  a: Stream
  b: Stream
  consumer: Consumer
  member: MemberRecorder
  token: number
}> {
  const [a, b] = await openTwo(stage)
  const work = await stage.createStream({ name: 'work' })
  await stage.store('work.x', { body: 'input' })
  const consumer = await stage.createConsumer(work, { ackWaitMs })
  const member = stage.join(consumer, { credit: 1 })
  await member.received(1)
  return { a, b, consumer, member, token: member.tokens[0]! }
}

async function countsOf(...streams: readonly Stream[]): Promise<number[]> {
  return Promise.all(streams.map(async (stream) => (await stream.state()).messages))
}

export const durableTransactionsChapter = durableChapter('durable: transactions', [
  {
    name: 'commits messages to several streams, with a receipt for each in order',
    async run(stage) {
      const [a, b] = await openTwo(stage)
      await stage.store('a.x', { body: 'before' })
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { body: 'a1' })
      stage.addTo(transaction, 'b.x', { body: 'b1', headers: [['H', 'v']], key: 'k' })
      stage.addTo(transaction, 'a.y', { body: 'a2' })
      const receipts = await stage.commit(transaction)
      assert.deepEqual(
        receipts.map(({ stream, sequence, isDuplicate }) => [stream.name, sequence, isDuplicate]),
        [
          ['a', 2, false],
          ['b', 1, false],
          ['a', 3, false],
        ],
      )
      assert.deepEqual(bodiesOf(await stage.read(a)), ['before', 'a1', 'a2'])
      assert.deepEqual(bodiesOf(await stage.read(b)), ['b1'])
    },
  },
  {
    name: 'commits what it publishes and an acknowledgement together',
    async run(stage) {
      const { a, consumer, member, token } = await openWithWork(stage, SHORT_MS * 2)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { body: 'output' })
      transaction.acknowledge(consumer, token)
      await stage.commit(transaction)
      assert.deepEqual(bodiesOf(await stage.read(a)), ['output'])
      assert.equal((await consumer.info()).floorSequence, 1)
      member.grant(5)
      await stage.advance(SHORT_MS * 4)
      assert.equal(member.items.length, 1)
      assert.equal(consumer.acknowledge(token), false)
    },
  },
  {
    name: 'commits an acknowledgement alone, and nothing at all',
    async run(stage) {
      const { consumer, token } = await openWithWork(stage)
      const transaction = stage.durable.beginTransaction()
      transaction.acknowledge(consumer, token)
      assert.deepEqual(await stage.commit(transaction), [])
      assert.equal((await consumer.info()).floorSequence, 1)
      assert.deepEqual(await stage.commit(stage.durable.beginTransaction()), [])
    },
  },
  {
    name: 'accepts nothing before the commit, and takes its sequences then',
    async run(stage) {
      const [a] = await openTwo(stage)
      const live = stage.stage.record('a.*')
      await stage.stage.ready()
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { body: 'in the transaction' })
      await stage.settle()
      assert.deepEqual(await stage.read(a), [])
      assert.deepEqual(live.items, [])
      assert.equal(await stage.store('a.x', { body: 'meanwhile' }), 1)
      const [receipt] = await stage.commit(transaction)
      assert.equal(receipt!.sequence, 2)
      await live.received(2)
      assert.deepEqual(live.bodies, ['meanwhile', 'in the transaction'])
    },
  },
  {
    name: 'copies a message before `publish` returns',
    async run(stage) {
      const [a] = await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      const message = stage.stage.makeMessage('a.x', { body: 'right' })
      transaction.publish(message.handle, message)
      message.buffer.fill('?'.charCodeAt(0))
      await stage.commit(transaction)
      assert.deepEqual(bodiesOf(await stage.read(a)), ['right'])
    },
  },
  {
    name: 'leaves nothing behind when it is aborted, and the message in flight as it was',
    async run(stage) {
      const { a, b, consumer, token } = await openWithWork(stage)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { id: 'id-1' })
      stage.addTo(transaction, 'b.x')
      transaction.acknowledge(consumer, token)
      transaction.abort()
      await stage.settle()
      assert.deepEqual(await countsOf(a, b), [0, 0])
      assert.equal((await consumer.info()).inFlight, 1)
      assert.equal(consumer.acknowledge(token), true)
      assert.equal((await stage.outcomeOf('a.x', { id: 'id-1' })).kind, 'committed')
    },
  },
  {
    name: 'refuses the whole for an acknowledgement whose wait is over: TOKEN_STALE',
    async run(stage) {
      const { a, b, consumer, member, token } = await openWithWork(stage, SHORT_MS)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x')
      stage.addTo(transaction, 'b.x')
      transaction.acknowledge(consumer, token)
      await stage.advance(2 * SHORT_MS)
      assert.equal(await codeOf(() => stage.commit(transaction)), 'TOKEN_STALE')
      await stage.settle()
      assert.deepEqual(await countsOf(a, b), [0, 0])
      member.grant(1)
      await member.received(2)
      assert.deepEqual(member.deliveryCounts, [1, 2])
    },
  },
  {
    name: 'refuses the whole for a message that was settled, released or left meanwhile',
    async run(stage) {
      const { a, consumer, member, token } = await openWithWork(stage)
      const spoil: readonly ((token: number) => void)[] = [
        (held) => consumer.release(held),
        () => member.leave(),
      ]
      let held = token
      for (const [i, spoilIt] of spoil.entries()) {
        const transaction = stage.durable.beginTransaction()
        stage.addTo(transaction, 'a.x')
        transaction.acknowledge(consumer, held)
        spoilIt(held)
        assert.equal(await codeOf(() => stage.commit(transaction)), 'TOKEN_STALE', String(i))
        if (i === 0) {
          member.grant(1)
          await member.received(2)
          held = member.tokens[1]!
        }
      }
      assert.deepEqual(await countsOf(a), [0])
    },
  },
  {
    name: 'refuses the whole for an expectation that does not hold, and leaves the message in flight',
    async run(stage) {
      const { a, b, consumer, token } = await openWithWork(stage)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x')
      stage.addTo(transaction, 'b.x', { expectedLastSequence: 7 })
      transaction.acknowledge(consumer, token)
      assert.equal(await codeOf(() => stage.commit(transaction)), 'EXPECTATION_FAILED')
      await stage.settle()
      assert.deepEqual(await countsOf(a, b), [0, 0])
      assert.equal(consumer.acknowledge(token), true)
      assert.equal(await stage.store('a.x'), 1)
    },
  },
  {
    name: 'checks expectations at the commit, in its own order',
    async run(stage) {
      const [a] = await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { body: '2', expectedLastSequence: 1 })
      stage.addTo(transaction, 'a.x', { body: '3', expectedLastSequence: 2 })
      await stage.store('a.x', { body: '1' })
      await stage.commit(transaction)
      assert.deepEqual(bodiesOf(await stage.read(a)), ['1', '2', '3'])
    },
  },
  {
    name: 'refuses the whole when two messages in it expect the same and only one of them can be right',
    async run(stage) {
      const [a] = await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { expectedLastTopicSequence: 0 })
      stage.addTo(transaction, 'a.x', { expectedLastTopicSequence: 0 })
      assert.equal(await codeOf(() => stage.commit(transaction)), 'EXPECTATION_FAILED')
      await stage.settle()
      assert.deepEqual(await countsOf(a), [0])
    },
  },
  {
    name: 'refuses the whole for a stream that is full',
    async run(stage) {
      const a = await stage.createStream({ name: 'a' })
      await stage.createStream({ name: 'b', maxMessages: 1, discard: 'new' })
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x')
      stage.addTo(transaction, 'b.x')
      stage.addTo(transaction, 'b.x')
      assert.equal(await codeOf(() => stage.commit(transaction)), 'STREAM_FULL')
      await stage.settle()
      assert.deepEqual(await countsOf(a, await stage.stream('b')), [0, 0])
    },
  },
  {
    name: 'commits the rest when a message in it is a duplicate, and says which',
    async run(stage) {
      const [a, b] = await openTwo(stage)
      await stage.store('a.x', { body: 'original', id: 'id-1' })
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { body: 'again', id: 'id-1' })
      stage.addTo(transaction, 'b.x', { body: 'b', id: 'id-2' })
      stage.addTo(transaction, 'b.x', { body: 'b again', id: 'id-2' })
      const receipts = await stage.commit(transaction)
      assert.deepEqual(
        receipts.map(({ sequence, isDuplicate }) => [sequence, isDuplicate]),
        [
          [1, true],
          [1, false],
          [1, true],
        ],
      )
      assert.deepEqual(bodiesOf(await stage.read(a)), ['original'])
      assert.deepEqual(bodiesOf(await stage.read(b)), ['b'])
      assert.equal((await stage.outcomeOf('b.x', { id: 'id-2' })).kind, 'duplicate')
    },
  },
  {
    name: 'remembers no id of a transaction that was refused',
    async run(stage) {
      await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x', { id: 'id-1' })
      stage.addTo(transaction, 'b.x', { expectedLastSequence: 7 })
      assert.equal(await codeOf(() => stage.commit(transaction)), 'EXPECTATION_FAILED')
      assert.equal((await stage.outcomeOf('a.x', { id: 'id-1' })).kind, 'committed')
    },
  },
  {
    name: 'throws NO_STREAM for a topic that no stream captures',
    async run(stage) {
      await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      assert.equal(await codeOf(() => stage.addTo(transaction, 'c.x')), 'NO_STREAM')
      transaction.abort()
    },
  },
  {
    name: 'refuses the whole when a stream of it was deleted meanwhile',
    async run(stage) {
      const [a] = await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'a.x')
      stage.addTo(transaction, 'b.x')
      await stage.durable.deleteStream('b')
      const code = await codeOf(() => stage.commit(transaction))
      assert.ok(code === 'STREAM_DELETED' || code === 'NO_STREAM', code)
      await stage.settle()
      assert.deepEqual(await countsOf(a), [0])
    },
  },
  {
    name: 'throws TRANSACTION_ENDED for what is asked of it after its end',
    async run(stage) {
      const { consumer, token } = await openWithWork(stage)
      const committed = stage.durable.beginTransaction()
      await stage.commit(committed)
      const aborted = stage.durable.beginTransaction()
      aborted.abort()
      for (const transaction of [committed, aborted]) {
        for (const call of [
          () => stage.addTo(transaction, 'a.x'),
          () => transaction.acknowledge(consumer, token),
          () => transaction.commit(() => {}),
        ]) {
          assert.equal(await codeOf(call), 'TRANSACTION_ENDED')
        }
        transaction.abort()
      }
    },
  },
  {
    name: 'throws TRANSACTION_TOO_LARGE for more than it takes, and leaves nothing of it',
    async run(stage) {
      const [a] = await openTwo(stage)
      const transaction = stage.durable.beginTransaction()
      let code: string | undefined
      for (let i = 0; i < LARGE_MESSAGES && code === undefined; i++) {
        code = await codeOf(() => stage.addTo(transaction, 'a.x', { body: LARGE_BODY }))
      }
      assert.equal(code, 'TRANSACTION_TOO_LARGE')
      transaction.abort()
      await stage.settle()
      assert.deepEqual(await countsOf(a), [0])
    },
  },
  {
    name: 'throws PAYLOAD_TOO_LARGE, or refuses with it, for a message over the size of its stream',
    async run(stage) {
      const a = await stage.createStream({ name: 'a', maxMessageBytes: 10 })
      const transaction = stage.durable.beginTransaction()
      const code = await codeOf(async () => {
        stage.addTo(transaction, 'a.x', { body: 'small' })
        stage.addTo(transaction, 'a.x', { body: 'much too large' })
        await stage.commit(transaction)
      })
      assert.equal(code, 'PAYLOAD_TOO_LARGE')
      await stage.settle()
      assert.deepEqual(await countsOf(a), [0])
    },
  },
  {
    name: 'refuses to make a stream that forgets part of what is on the disk: DURABILITY_MISMATCH',
    needs: ({ engine }) => engine.durable?.strongest === 'fsync',
    async run(stage) {
      const a = await stage.createStream({ name: 'a' })
      await stage.createStream({ name: 'b', durability: 'memory' })
      const transaction = stage.durable.beginTransaction()
      const code = await codeOf(async () => {
        stage.addTo(transaction, 'a.x')
        stage.addTo(transaction, 'b.x')
        await stage.commit(transaction)
      })
      assert.equal(code, 'DURABILITY_MISMATCH')
      await stage.settle()
      assert.deepEqual(await countsOf(a), [0])
    },
  },
  {
    name: 'shows readers and consumers all of a transaction or nothing',
    async run(stage) {
      const [a, b] = await openTwo(stage)
      const found: Promise<boolean>[] = []
      const streams = [a, b]
      for (const [i, stream] of streams.entries()) {
        const other = streams[1 - i]!
        stage.join(await stage.createConsumer(stream), {
          during({ sequence }) {
            found.push(other.get(sequence).then((message) => message !== undefined))
          },
        })
      }
      for (let i = 1; i <= 50; i++) {
        const transaction = stage.durable.beginTransaction()
        stage.addTo(transaction, 'a.x', { body: String(i) })
        stage.addTo(transaction, 'b.x', { body: String(i) })
        transaction.commit((error) => assert.equal(error, undefined))
        if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await stage.settle()
      assert.equal(found.length, 100)
      assert.deepEqual(await Promise.all(found), Array(100).fill(true))
      assert.deepEqual(bodiesOf(await stage.read(a)), numberBodies(1, 50))
      assert.deepEqual(bodiesOf(await stage.read(b)), numberBodies(1, 50))
    },
  },
  {
    name: 'lets one of two transactions that expect the same win',
    async run(stage) {
      const [a, b] = await openTwo(stage)
      const codes = await Promise.all(
        [1, 2].map((i) => {
          const transaction = stage.durable.beginTransaction()
          stage.addTo(transaction, 'a.x', { body: String(i), expectedLastTopicSequence: 0 })
          stage.addTo(transaction, 'b.x', { body: String(i) })
          return codeOf(() => stage.commit(transaction))
        }),
      )
      assert.deepEqual(
        codes.filter((code) => code !== undefined),
        ['EXPECTATION_FAILED'],
      )
      assert.deepEqual(await countsOf(a, b), [1, 1])
    },
  },
  {
    name: 'lets one of two transactions that acknowledge the same hand-out win',
    async run(stage) {
      const { a, consumer, token } = await openWithWork(stage)
      const codes = await Promise.all(
        [1, 2].map(() => {
          const transaction = stage.durable.beginTransaction()
          stage.addTo(transaction, 'a.x')
          transaction.acknowledge(consumer, token)
          return codeOf(() => stage.commit(transaction))
        }),
      )
      assert.deepEqual(
        codes.filter((code) => code !== undefined),
        ['TOKEN_STALE'],
      )
      assert.deepEqual(await countsOf(a), [1])
    },
  },
  {
    name: 'processes exactly once: each input has one output, though handlers fail and waits run out',
    async run(stage) {
      const output = await stage.createStream({ name: 'out' })
      const input = await stage.createStream({ name: 'in' })
      await stage.storeAll('in.x', numberBodies(1, 40))
      const consumer = await stage.createConsumer(input, { ackWaitMs: 300, maxInFlight: 8 })
      for (let i = 0; i < 2; i++) {
        stage.join(consumer, {
          during({ token, body, deliveryCount }) {
            const transaction = stage.durable.beginTransaction()
            stage.addTo(transaction, 'out.x', { body })
            transaction.acknowledge(consumer, token)
            const fate = (Number(body) + deliveryCount) % 4
            if (fate === 0) transaction.abort()
            else if (fate === 1) {
              consumer.retry(token)
              transaction.commit(() => {})
            } else transaction.commit(() => {})
          },
        })
      }
      for (let i = 0; i < 12; i++) await stage.advance(350)
      const bodies = bodiesOf(await stage.read(output))
      assert.deepEqual(
        [...bodies].sort((x, y) => Number(x) - Number(y)),
        numberBodies(1, 40),
      )
    },
  },
])
