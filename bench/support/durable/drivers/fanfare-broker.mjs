// Fanfare as people use it: `broker.publish` with a promise for each message, `broker.consume` with a handler, data as JSON.
import { performance } from 'node:perf_hooks'
import { openBroker } from '../../../../dist/broker/index.js'
import { consumeInWindow } from '../consume-window.mjs'
import { sendingPromises } from '../window.mjs'

export async function open({ directory, topic, payloadBytes }) {
  const broker = await openBroker({ directory })
  const stream = await broker.stream('bench', { topics: [topic] })
  const data = { text: 'x'.repeat(payloadBytes - '{"text":""}'.length) }
  return {
    makePublisher: sendingPromises(() => broker.publish(topic, data)),
    consume: (terms) => consume({ broker, stream, topic }, terms),
    replay: () => replay(stream),
    close: () => broker.close(),
  }
}

async function consume({ broker, stream, topic }, { inFlight, count, durationMs }) {
  let consumption
  const consumed = await consumeInWindow({ count, durationMs }, async (took) => {
    const handler = () => {
      if (took.next()) took.finish()
    }
    const options = { concurrency: inFlight, maxInFlight: inFlight }
    consumption = await broker.consume('bench', topic, handler, options)
  })
  await consumption.close()
  await stream.deleteConsumer('bench')
  return consumed
}

async function replay(stream) {
  const startedAtMs = performance.now()
  let messages = 0
  for await (const message of stream.read()) if (message.sequence > 0) messages += 1
  return { messages, elapsedMs: performance.now() - startedAtMs }
}
