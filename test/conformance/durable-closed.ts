// The durable half after its engine was closed: refused with the one code, and nothing else.
import assert from 'node:assert/strict'
import { durableChapter } from './durable-chapter.js'
import { Receipts } from './receipts.js'
import { codeOf } from './stage.js'

export const durableClosedChapter = durableChapter('durable: after the close', [
  {
    name: 'refuses with CLOSED what is asked of streams',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const { durable } = stage
      const message = stage.stage.makeMessage('orders.a')
      const topic = message.handle
      const deadLetters = stage.deadLetters(stream)
      await stage.engine.close()
      const calls: readonly (readonly [string, () => unknown])[] = [
        ['publish', () => durable.publish(topic, message, new Receipts(), 1)],
        ['createStream', () => durable.createStream(stage.streamSettings({ name: 'next' }))],
        ['createStream, equal', () => durable.createStream(stage.streamSettings())],
        ['updateStream', () => durable.updateStream(stage.streamSettings())],
        ['findStream', () => durable.findStream('orders')],
        ['streams', () => durable.streams()],
        ['deleteStream', () => durable.deleteStream('orders')],
        ['beginTransaction', () => durable.beginTransaction()],
        ['state', () => stream.state()],
        ['get', () => stream.get(1)],
        ['lastOf', () => stream.lastOf(topic)],
        ['read', () => stage.read(stream)],
        ['topics', () => stream.topics()],
        ['purge', () => stream.purge()],
        ['remove', () => stream.remove(1)],
        ['createConsumer', () => stage.createConsumer(stream)],
        ['consumers', () => stream.consumers()],
        ['deadLetters.list', () => deadLetters.list()],
        ['deadLetters.count', () => deadLetters.count()],
        ['deadLetters.redrive', () => deadLetters.redrive()],
        ['deadLetters.discard', () => deadLetters.discard()],
      ]
      const codes: Record<string, string | undefined> = {}
      for (const [name, call] of calls) codes[name] = await codeOf(call)
      assert.deepEqual(codes, Object.fromEntries(calls.map(([name]) => [name, 'CLOSED'])))
    },
  },
  {
    name: 'refuses with CLOSED what is asked of consumers, but takes a leave',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await stage.engine.close()
      member.leave()
      const calls: readonly (readonly [string, () => unknown])[] = [
        ['join', () => stage.join(consumer)],
        ['info', () => consumer.info()],
        ['pause', () => consumer.pause()],
        ['resume', () => consumer.resume()],
      ]
      const codes: Record<string, string | undefined> = {}
      for (const [name, call] of calls) codes[name] = await codeOf(call)
      assert.deepEqual(codes, Object.fromEntries(calls.map(([name]) => [name, 'CLOSED'])))
    },
  },
  {
    name: 'refuses with CLOSED to commit a transaction that was begun before',
    async run(stage) {
      await stage.createStream()
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'orders.a')
      await stage.engine.close()
      assert.equal(await codeOf(() => stage.commit(transaction)), 'CLOSED')
      transaction.abort()
    },
  },
  {
    name: 'finishes transactions that were committed before the close',
    async run(stage) {
      await stage.createStream()
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'orders.a')
      const receipts = stage.commit(transaction)
      await stage.engine.close()
      assert.equal((await receipts)[0]!.sequence, 1)
    },
  },
])
