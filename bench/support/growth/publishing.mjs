// An engine on a directory and publishing to it at the contract: what all measurements of growth have in common.
import { memoryUsage } from 'node:process'
import { openEmbeddedEngine } from '../../../dist/embedded/index.js'
import { BytesMessage } from '../../../dist/engine/index.js'
import { runWindow } from '../durable/window.mjs'

export const payloadBytes = 128

const nothing = new Uint8Array(0)
const body = Buffer.alloc(payloadBytes, 'x')

export async function withEngine(directory, work) {
  const engine = await openEmbeddedEngine({ directory })
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

export function makeMessage(handle) {
  const message = new BytesMessage(handle)
  message.setParts(nothing, nothing, body)
  return message
}

/** `nextTopic()` names the topic of each message, `nextOptions()` what is asked of the stream. */
export function makePublisher(engine, { nextTopic, nextOptions = () => undefined }) {
  const message = makeMessage(engine.topic('bench'))
  let token = 0
  return (settled, failed) => {
    const sink = {
      committed: (_stream, _token, _sequence, count) => settled(count),
      duplicate: () => failed(new Error('a duplicate')),
      refused: (_token, _count, error) => failed(error),
    }
    return (count) => {
      for (let sent = 0; sent < count; sent += 1) {
        const handle = engine.topic(nextTopic())
        message.handle = handle
        engine.durable.publish(handle, message, sink, (token += 1), nextOptions())
      }
    }
  }
}

/** The rate with 1,000 in flight, and the latency with one. */
export async function measurePublishing(engine, { nextTopic, durationMs }) {
  const publisher = makePublisher(engine, { nextTopic })
  await runWindow(publisher, { inFlight: 1_000, durationMs: durationMs / 4 })
  const cpuBefore = process.cpuUsage()
  const { messages, elapsedMs } = await runWindow(publisher, { inFlight: 1_000, durationMs })
  const { user, system } = process.cpuUsage(cpuBefore)
  const single = await runWindow(publisher, { inFlight: 1, durationMs: durationMs / 2 })
  return {
    messagesPerSecond: (messages * 1000) / elapsedMs,
    cpuMicroseconds: (user + system) / messages,
    medianMs: single.medianMs,
    percentile99Ms: single.percentile99Ms,
  }
}

/** Publishes so many messages and waits for all. */
export function publishMany(engine, { count, nextTopic, nextOptions }) {
  const publisher = makePublisher(engine, { nextTopic, nextOptions })
  return runWindow(publisher, { inFlight: 10_000, durationMs: Infinity, countAtMost: count })
}

/** `prefix.0`, `prefix.1` … and from the beginning again; names are made when they are first needed and kept. */
export function cycleTopics(prefix, count) {
  const names = []
  let next = 0
  return () => {
    const name = (names[next] ??= `${prefix}.${next}`)
    next = next + 1 === count ? 0 : next + 1
    return name
  }
}

export function getResidentBytes() {
  globalThis.gc()
  return memoryUsage().rss
}
