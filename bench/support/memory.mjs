// What idle clients cost a server in resident memory. Each measurement has a fresh server, and a
// little of the same kind happens first, so that what a server sets up once is not counted.
import { setTimeout as sleep } from 'node:timers/promises'
import { getResidentBytes } from './process-statistics.mjs'
import { startPeer } from './peers.mjs'
import { startWorker } from './generators/worker.mjs'

const settleMs = 1_500

const idleConnections = 1_000
const subscribingConnections = 10
const subscriptionsForEach = 10_000

export const memoryUnits = [
  { name: 'idle connection', measure: measureConnection },
  { name: 'subscription', measure: measureSubscription },
]

export async function measureMemory({ peer, unit }) {
  let server
  const holder = startWorker('connection-holder.mjs')
  const { protocolName } = peer
  try {
    server = await startPeer(peer, { purpose: 'memory' })
    return { bytes: await unit.measure({ holder, server, protocolName }) }
  } catch (error) {
    return { failure: error.message }
  } finally {
    await holder.stop()
    await server?.stop()
  }
}

async function measureConnection({ holder, server, protocolName }) {
  const { port } = server
  await holder.call('open', { protocolName, port, count: 50 })
  const beforeBytes = await getSettledBytes(server)
  await holder.call('open', { protocolName, port, count: idleConnections })
  return ((await getSettledBytes(server)) - beforeBytes) / idleConnections
}

async function measureSubscription({ holder, server, protocolName }) {
  const { port } = server
  await holder.call('open', { protocolName, port, count: subscribingConnections })
  await holder.call('subscribe', { protocolName, countForEach: 100 })
  const beforeBytes = await getSettledBytes(server)
  await holder.call('subscribe', { protocolName, countForEach: subscriptionsForEach })
  const addedBytes = (await getSettledBytes(server)) - beforeBytes
  return addedBytes / (subscribingConnections * subscriptionsForEach)
}

async function getSettledBytes(server) {
  await sleep(settleMs)
  return getResidentBytes(server.pid)
}
