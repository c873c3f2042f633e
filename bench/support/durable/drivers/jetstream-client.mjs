// JetStream through its official client, as people use it.
import { performance } from 'node:perf_hooks'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { consumeInWindow } from '../consume-window.mjs'
import { sendingPromises } from '../window.mjs'
import { createStream } from './jetstream-wire.mjs'

const stream = 'bench'

export async function open({ port, topic, payloadBytes }) {
  await createStream(port, topic)
  const connection = await connect({ servers: `127.0.0.1:${port}` })
  const manager = await jetstreamManager(connection)
  const client = jetstream(connection)
  const body = Buffer.alloc(payloadBytes, 'x')
  return {
    makePublisher: sendingPromises(() => client.publish(topic, body, { timeout: 30_000 })),
    consume: (terms) => consume({ connection, manager, client }, terms),
    replay: (terms) => replay(client, terms),
    async close() {
      await manager.streams.delete(stream)
      await connection.close()
    },
  }
}

async function consume({ connection, manager, client }, { inFlight, count, durationMs }) {
  await manager.consumers.add(stream, {
    durable_name: 'one',
    ack_policy: 'explicit',
    max_ack_pending: inFlight,
  })
  const consumer = await client.consumers.get(stream, 'one')
  const consumed = await consumeInWindow({ count, durationMs }, async (took) => {
    const messages = await consumer.consume({ max_messages: inFlight })
    for await (const message of messages) {
      took.next()
      message.ack()
      if (took.isOver) break
    }
    await connection.flush()
    took.finish()
  })
  await manager.consumers.delete(stream, 'one')
  return consumed
}

async function replay(client, { count }) {
  const consumer = await client.consumers.get(stream)
  const startedAtMs = performance.now()
  let messages = 0
  for await (const message of await consumer.consume({ max_messages: 1_000 })) {
    if (message.seq > 0) messages += 1
    if (messages === count) break
  }
  return { messages, elapsedMs: performance.now() - startedAtMs }
}
