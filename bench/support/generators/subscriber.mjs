// The subscribing process: counts deliveries by stepping from frame to frame, looking at one byte
// of each. All frames of a run have one length, so a lost, cut or foreign byte is noticed.
import { performance } from 'node:perf_hooks'
import { setInterval, clearInterval } from 'node:timers'
import { getProtocol } from '../protocols/index.mjs'
import { openConnection } from './connection.mjs'
import { serveCalls } from './worker.mjs'

const lookEveryMs = 250
const stalledAfterLooks = 20

let run

async function open({ protocolName, port, subscriberCount, topic, payloadBytes, countForEach }) {
  const protocol = getProtocol(protocolName)
  const opened = {
    protocol,
    frameBytes: protocol.getDeliveryBytes({ topic, payloadBytes, id: 1 }),
    countForEach,
    connections: [],
    counters: [],
    completeCount: 0,
    firstByteAtMs: 0,
    lastByteAtMs: 0,
    failure: undefined,
    finish: () => {},
  }
  run = opened
  run.connections = await Promise.all(
    Array.from({ length: subscriberCount }, () => openConnection({ port })),
  )
  for (const connection of run.connections) {
    await protocol.greet(connection)
    await protocol.subscribe(connection, { topics: [topic], firstId: 1 })
  }
  run.finished = new Promise((resolve) => (opened.finish = resolve))
  run.connections.forEach((connection) => count(connection, opened))
}

function count(connection, run) {
  const { protocol, frameBytes, countForEach } = run
  const { deliveryFirstByte } = protocol
  const counter = { deliveries: 0, untilNextFrame: 0, isComplete: false }
  run.counters.push(counter)
  connection.closed.then((reason) => {
    if (counter.isComplete) return
    run.failure ??= reason
    run.finish()
  })
  connection.receive = (byteCount, bytes) => {
    run.lastByteAtMs = performance.now()
    if (run.firstByteAtMs === 0) run.firstByteAtMs = run.lastByteAtMs
    let position = counter.untilNextFrame
    let deliveries = 0
    try {
      while (position < byteCount) {
        const firstByte = bytes[position]
        if (firstByte === deliveryFirstByte) {
          position += frameBytes
          deliveries += 1
        } else {
          position += protocol.receiveOther(connection, { firstByte, bytes, position })
        }
      }
    } catch (error) {
      run.failure ??= error.message
      run.finish()
    }
    counter.untilNextFrame = position - byteCount
    counter.deliveries += deliveries
    if (counter.untilNextFrame === 0 && counter.deliveries === countForEach) {
      counter.isComplete = true
      run.completeCount += 1
      if (run.completeCount === run.connections.length) run.finish()
    }
  }
}

/** Resolves when every subscriber has every message, or when nothing has come for a while. */
async function collect() {
  let quietLooks = 0
  let lastByteSeenAtMs = 0
  // Looks are counted instead of time, because a machine that freezes for seconds wakes up to the
  // clock first and to the bytes that waited second.
  const watch = setInterval(() => {
    quietLooks = run.lastByteAtMs === lastByteSeenAtMs ? quietLooks + 1 : 0
    lastByteSeenAtMs = run.lastByteAtMs
    if (quietLooks === stalledAfterLooks) run.finish()
  }, lookEveryMs)
  await run.finished
  clearInterval(watch)
  return {
    delivered: run.counters.reduce((sum, counter) => sum + counter.deliveries, 0),
    deliveredToEach: run.counters.map((counter) => counter.deliveries),
    durationMs: run.lastByteAtMs - run.firstByteAtMs,
    failure: run.failure,
  }
}

function close() {
  for (const connection of run?.connections ?? []) connection.socket.destroy()
  run = undefined
}

serveCalls({ open, collect, close })
