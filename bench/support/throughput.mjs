// How many messages a second subscribers receive: one cell is one fan-out with one payload size.
import { getCpuMs, getPeakResidentBytes, resetPeakResidentBytes } from './process-statistics.mjs'
import { startWorker } from './generators/worker.mjs'

export const patterns = [
  { name: '1:1', publisherCount: 1, subscriberCount: 1 },
  { name: '1:8', publisherCount: 1, subscriberCount: 8 },
  { name: '8:8', publisherCount: 8, subscriberCount: 8 },
]

const topic = 'bench.core'

// Both bound the first, short run that only measures how long the others should be.
const pilotMessages = 100_000
const pilotBytes = 64 * 1024 * 1024

export function startGenerators(execArguments) {
  const publisher = startWorker('publisher.mjs', execArguments)
  const subscriber = startWorker('subscriber.mjs', execArguments)
  return {
    publisher,
    subscriber,
    stop: () => Promise.all([publisher.stop(), subscriber.stop()]),
  }
}

/** The number of messages for each publisher that keeps this server busy for about the duration. */
export async function findCount(generators, { server, pattern, payloadBytes, durationMs }) {
  const deliveredAtMost = Math.min(
    pilotMessages * pattern.subscriberCount,
    pilotBytes / payloadBytes,
  )
  const shares = pattern.publisherCount * pattern.subscriberCount
  let countForEach = Math.ceil(deliveredAtMost / shares)
  // Twice, because the first pilot also warms the server up and so understates it.
  for (let pilot = 0; pilot < 2; pilot += 1) {
    const result = await measureThroughput(generators, {
      server,
      pattern,
      payloadBytes,
      countForEach,
    })
    if (result.failure !== undefined || result.delivered < result.expected) break
    const targetMs = pilot === 0 ? durationMs / 4 : durationMs
    countForEach = Math.ceil((countForEach * targetMs) / Math.max(result.durationMs, 1))
  }
  return countForEach
}

export async function measureThroughput(
  { publisher, subscriber },
  { server, pattern, payloadBytes, countForEach },
) {
  const { publisherCount, subscriberCount } = pattern
  const common = {
    protocolName: server.peer.protocolName,
    port: server.port,
    topic,
    payloadBytes,
  }
  const expected = countForEach * publisherCount * subscriberCount
  try {
    await subscriber.call('open', {
      ...common,
      subscriberCount,
      countForEach: countForEach * publisherCount,
    })
    await publisher.call('open', { ...common, publisherCount })
    resetPeakResidentBytes(server.pid)
    const cpuBefore = [server, publisher, subscriber].map(({ pid }) => getCpuMs(pid))
    const collected = subscriber.call('collect')
    const published = publisher.call('publish', { countForEach })
    const { delivered, deliveredToEach, durationMs, failure } = await collected
    const [cpuMs, publisherCpuMs, subscriberCpuMs] = [server, publisher, subscriber].map(
      ({ pid }, index) => getCpuMs(pid) - cpuBefore[index],
    )
    await publisher.call('close')
    const publishedCount = await published
    return {
      expected,
      delivered,
      deliveredToEach,
      publishedCount,
      isStalled: publishedCount < countForEach * publisherCount,
      durationMs,
      failure,
      messagesPerSecond: (delivered * 1000) / durationMs,
      cpuNsPerMessage: (cpuMs * 1e6) / delivered,
      publisherCores: publisherCpuMs / durationMs,
      subscriberCores: subscriberCpuMs / durationMs,
      peakResidentBytes: getPeakResidentBytes(server.pid),
    }
  } catch (error) {
    return { expected, delivered: 0, durationMs: 0, failure: error.message }
  } finally {
    await publisher.call('close')
    await subscriber.call('close')
  }
}
