// Fanfare's engine at the contract, which is what sockets are served through: messages as bytes, receipts as ranges at a sink.
import { performance } from 'node:perf_hooks'
import { openEmbeddedEngine } from '../../../../dist/embedded/index.js'
import { BytesMessage } from '../../../../dist/engine/index.js'
import { consumerSettings, streamSettings } from '../contract-settings.mjs'
import { consumeInWindow } from '../consume-window.mjs'

const nothing = new Uint8Array(0)

export async function open({ directory, topic, payloadBytes }) {
  const engine = await openEmbeddedEngine({ directory })
  const { durable } = engine
  const stream = await durable.createStream(streamSettings('bench', [topic]))
  const handle = engine.topic(topic)
  const message = new BytesMessage(handle)
  message.setParts(nothing, nothing, Buffer.alloc(payloadBytes, 'x'))
  let token = 0
  return {
    makePublisher(settled, failed) {
      const sink = {
        committed: (_stream, _token, _sequence, count) => settled(count),
        duplicate: () => failed(new Error('a duplicate')),
        refused: (_token, _count, error) => failed(error),
      }
      return (count) => {
        for (let sent = 0; sent < count; sent += 1)
          durable.publish(handle, message, sink, (token += 1))
      }
    },
    consume: (terms) => consume(stream, terms),
    replay: () => replay(stream),
    close: () => engine.close(),
  }
}

async function consume(stream, { inFlight, count, durationMs }) {
  const consumer = await stream.createConsumer(consumerSettings('bench', { maxInFlight: inFlight }))
  let member
  const consumed = await consumeInWindow({ count, durationMs }, (took) => {
    member = consumer.join({
      deliver({ token }) {
        const isLast = took.next()
        if (isLast) consumer.acknowledge(token, took.finish)
        else if (consumer.acknowledge(token)) member.grant(1)
      },
      ended: took.fail,
    })
    member.grant(inFlight)
  })
  member.leave()
  await stream.deleteConsumer('bench')
  return consumed
}

async function replay(stream) {
  const startedAtMs = performance.now()
  const reader = stream.read()
  let messages = 0
  for (;;) {
    const next = reader.next()
    const message = next instanceof Promise ? await next : next
    if (message === undefined) break
    messages += 1
  }
  reader.close()
  return { messages, elapsedMs: performance.now() - startedAtMs }
}
