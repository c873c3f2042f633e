// What grows, and what publishing then costs. Each is measured in a process of its own.
import { performance } from 'node:perf_hooks'
import { consumerSettings, streamSettings } from '../durable/contract-settings.mjs'
import {
  cycleTopics,
  getResidentBytes,
  measurePublishing,
  publishMany,
  withEngine,
} from './publishing.mjs'

/** So many streams are published to in turn: a commit cycle has all of them. */
export function measureStreams({ directory, count, durationMs }) {
  return withEngine(directory, async (engine) => {
    const before = getResidentBytes()
    for (let stream = 0; stream < count; stream += 1) {
      const settings = streamSettings(`bench-${stream}`, [`bench.${stream}`])
      await engine.durable.createStream(settings)
    }
    const nextTopic = cycleTopics('bench', count)
    await publishMany(engine, { count, nextTopic })
    const residentBytes = getResidentBytes() - before
    return { residentBytes, ...(await measurePublishing(engine, { nextTopic, durationMs })) }
  })
}

/** So many topics have a message each in one stream. */
export function measureTopics({ directory, count, durationMs }) {
  return withEngine(directory, async (engine) => {
    await engine.durable.createStream(streamSettings('bench', ['bench.>']))
    const before = getResidentBytes()
    const nextTopic = cycleTopics('bench', count)
    await publishMany(engine, { count, nextTopic })
    const residentBytes = getResidentBytes() - before
    return { residentBytes, ...(await measurePublishing(engine, { nextTopic, durationMs })) }
  })
}

/** So many consumers, each with a member and a topic of its own, acknowledge what is published to them in turn. */
export function measureConsumers({ directory, count, durationMs }) {
  return withEngine(directory, async (engine) => {
    const stream = await engine.durable.createStream(streamSettings('bench', ['bench.*']))
    const before = getResidentBytes()
    for (let index = 0; index < count; index += 1) await joinConsumer(stream, index)
    const residentBytes = getResidentBytes() - before
    const nextTopic = cycleTopics('bench', count)
    return { residentBytes, ...(await measurePublishing(engine, { nextTopic, durationMs })) }
  })
}

async function joinConsumer(stream, index) {
  const settings = consumerSettings(`bench-${index}`, { topics: [`bench.${index}`] })
  const consumer = await stream.createConsumer(settings)
  const member = consumer.join({
    deliver({ token }) {
      consumer.acknowledge(token)
      member.grant(1)
    },
    ended() {},
  })
  member.grant(100)
}

/** So many messages are stored in one stream. */
export function measureStored({ directory, count, durationMs }) {
  return withEngine(directory, async (engine) => {
    await engine.durable.createStream(streamSettings('bench', ['bench.*']))
    const nextTopic = cycleTopics('bench', 100)
    await publishMany(engine, { count: 1_000, nextTopic })
    const before = getResidentBytes()
    await publishMany(engine, { count, nextTopic })
    const residentBytes = getResidentBytes() - before
    return { residentBytes, ...(await measurePublishing(engine, { nextTopic, durationMs })) }
  })
}

/** Fills a directory and leaves it as a killed process would. */
export async function buildDirectory({ directory, messages, topics, streams, hasIds }) {
  const { openEmbeddedEngine } = await import('../../../dist/embedded/index.js')
  const engine = await openEmbeddedEngine({ directory })
  for (let stream = 0; stream < streams; stream += 1) {
    const pattern = streams === 1 ? 'bench.*' : `bench.${stream}`
    // A day, so that no id is forgotten before the directory is opened again.
    const settings = streamSettings(`bench-${stream}`, [pattern], { duplicateWindowMs: 86_400_000 })
    await engine.durable.createStream(settings)
  }
  let id = 0
  const nextOptions = hasIds ? () => ({ id: `message-${(id += 1)}` }) : undefined
  const nextTopic = cycleTopics('bench', topics)
  await publishMany(engine, { count: messages, nextTopic, nextOptions })
  process.kill(process.pid, 'SIGKILL')
}

export async function reopenDirectory({ directory, messages, streams }) {
  const { openEmbeddedEngine } = await import('../../../dist/embedded/index.js')
  const before = getResidentBytes()
  const startedAtMs = performance.now()
  const engine = await openEmbeddedEngine({ directory })
  const elapsedMs = performance.now() - startedAtMs
  const residentBytes = getResidentBytes() - before
  const found = await engine.durable.streams()
  const states = await Promise.all(found.map((stream) => stream.state()))
  const stored = states.reduce((sum, state) => sum + state.messages, 0)
  await engine.close()
  if (stored !== messages || found.length !== streams)
    throw new Error(`${stored} messages in ${found.length} streams came back`)
  return { elapsedMs, residentBytes }
}
