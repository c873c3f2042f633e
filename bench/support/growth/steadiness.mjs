// How late receipts are at half of the peak rate while other work goes on in the same process. Latency counts from the moment
// a message was due, even if the clock that sends them was late.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { streamSettings } from '../durable/contract-settings.mjs'
import { runWindow, summarize } from '../durable/window.mjs'
import { cycleTopics, makePublisher, withEngine } from './publishing.mjs'

const tickMs = 1
const mostLatencies = 10_000_000
const hotTopics = 100
const coldOneOf = 25

export const scenarios = [
  { name: 'publishing alone', settings: {} },
  { name: 'replay', settings: {}, replays: true },
  { name: 'retention of 64 MiB', settings: { maxBytes: 64 * 1024 ** 2 } },
  {
    name: 'compaction, one message for each topic',
    settings: { maxMessagesPerTopic: 1 },
    isMixed: true,
  },
  {
    name: 'all of it',
    settings: { maxMessagesPerTopic: 1, maxBytes: 64 * 1024 ** 2 },
    isMixed: true,
    replays: true,
  },
]

export function measureSteadiness({ directory, scenarioName, durationMs }) {
  const scenario = scenarios.find(({ name }) => name === scenarioName)
  return withEngine(directory, async (engine) => {
    const settings = streamSettings('bench', ['bench.>'], scenario.settings)
    const stream = await engine.durable.createStream(settings)
    const nextTopic = scenario.isMixed ? mixTopics() : cycleTopics('bench.hot', hotTopics)
    const publisher = makePublisher(engine, { nextTopic })
    await runWindow(publisher, { inFlight: 1_000, durationMs: durationMs / 4 })
    const peak = await runWindow(publisher, { inFlight: 1_000, durationMs })
    const ratePerMs = peak.messages / peak.elapsedMs / 2
    const reading = scenario.replays ? startReading(stream) : undefined
    const paced = await publishPaced(publisher, { ratePerMs, durationMs: durationMs * 3 })
    const replayedMessages = await reading?.stop()
    return { ratePerSecond: ratePerMs * 1000, replayedMessages, ...paced }
  })
}

/** Most messages go to a few topics and are soon replaced; one in so many stays for ever, so that segments are left sparse. */
function mixTopics() {
  const nextHot = cycleTopics('bench.hot', hotTopics)
  let count = 0
  return () => {
    count += 1
    return count % coldOneOf === 0 ? `bench.cold.${count}` : nextHot()
  }
}

async function publishPaced(publisher, { ratePerMs, durationMs }) {
  const latenciesMs = new Float64Array(Math.min(mostLatencies, Math.ceil(ratePerMs * durationMs)))
  let sentCount = 0
  let settledCount = 0
  let failure
  const startedAtMs = performance.now()
  const send = publisher(
    (count) => {
      const nowMs = performance.now()
      for (let settled = 0; settled < count; settled += 1) {
        const dueAtMs = startedAtMs + settledCount / ratePerMs
        if (settledCount < latenciesMs.length) latenciesMs[settledCount] = nowMs - dueAtMs
        settledCount += 1
      }
    },
    (error) => (failure = error),
  )
  const delays = monitorEventLoopDelay({ resolution: tickMs })
  delays.enable()
  for (let elapsedMs = 0; elapsedMs < durationMs && failure === undefined;) {
    await sleep(tickMs)
    elapsedMs = Math.min(performance.now() - startedAtMs, durationMs)
    const dueCount = Math.floor(elapsedMs * ratePerMs)
    if (dueCount > sentCount) {
      const count = dueCount - sentCount
      sentCount = dueCount
      send(count)
    }
  }
  delays.disable()
  while (settledCount < sentCount && failure === undefined) await sleep(tickMs)
  if (failure !== undefined) throw failure
  const taken = latenciesMs.subarray(0, Math.min(settledCount, latenciesMs.length))
  // The histogram holds times between two ticks, of which the tick itself is no delay.
  return { ...summarize(taken), loopDelay99Ms: delays.percentile(99) / 1e6 - tickMs }
}

/** Reads the stream from its beginning, over and over. */
function startReading(stream) {
  let isStopped = false
  let messages = 0
  const readAll = async () => {
    while (!isStopped) {
      const reader = stream.read()
      for (let sinceBreak = 0; !isStopped; sinceBreak += 1) {
        const next = reader.next()
        const message = next instanceof Promise ? await next : next
        if (message === undefined) break
        messages += 1
        // As a socket would: some at a time, then others have their turn.
        if (sinceBreak % 256 === 255) await sleep(0)
      }
      reader.close()
      await sleep(tickMs)
    }
  }
  const done = readAll()
  return {
    async stop() {
      isStopped = true
      await done
      return messages
    },
  }
}
