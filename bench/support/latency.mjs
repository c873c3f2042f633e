// How long a request takes to be answered, through the server both ways.
import { startWorker } from './generators/worker.mjs'

const payloadBytes = 16

export const latencyLoads = [
  { name: '1 outstanding', outstandingAtMost: 1 },
  { name: '5,000/s, at most 64 outstanding', outstandingAtMost: 64, ratePerSecond: 5_000 },
]

export function startParties() {
  const requester = startWorker('requester.mjs')
  const responder = startWorker('responder.mjs')
  return {
    requester,
    responder,
    stop: () => Promise.all([requester.stop(), responder.stop()]),
  }
}

export async function measureLatency({ requester, responder }, { server, load, durationMs }) {
  const common = { protocolName: server.peer.protocolName, port: server.port, payloadBytes }
  const { outstandingAtMost, ratePerSecond } = load
  try {
    await responder.call('open', common)
    await requester.call('open', common)
    return await requester.call('request', { outstandingAtMost, ratePerSecond, durationMs })
  } catch (error) {
    return { failure: error.message }
  } finally {
    await requester.call('close')
    await responder.call('close')
  }
}
