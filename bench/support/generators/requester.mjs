// The requesting process: measures from the moment a request was wanted, not from the moment a slow
// server let it go, so that waiting behind the limit of outstanding requests counts.
import { performance } from 'node:perf_hooks'
import { setInterval, clearInterval } from 'node:timers'
import { getProtocol } from '../protocols/index.mjs'
import { formatRequestId } from '../protocols/request-id.mjs'
import { openParty } from './exchange-party.mjs'
import { serveCalls } from './worker.mjs'

// Requests answered this early are not counted: both sides and the server are still warming up.
const warmUpMs = 500

const lastAnswersTimeoutMs = 2_000

let exchange
let party
let receiveIds = () => {}

async function open({ protocolName, port, payloadBytes }) {
  exchange = getProtocol(protocolName).createExchange({ payloadBytes })
  party = await openParty({
    protocolName,
    port,
    topic: exchange.replyTopic,
    delivery: exchange.replyDelivery,
    onIds: (ids) => receiveIds(ids),
  })
}

/** Without a rate the next request follows the answer; with one, requests fall due by the clock. */
async function request({ outstandingAtMost, ratePerSecond, durationMs }) {
  const startedAtMs = performance.now()
  const wantedAtMs = new Map()
  const latenciesMs = []
  let sentCount = 0
  let waiting = []
  const isOver = () => performance.now() - startedAtMs > warmUpMs + durationMs
  const send = () => {
    const room = outstandingAtMost - wantedAtMs.size
    const frames = waiting.slice(0, room).map((atMs) => {
      const id = formatRequestId(sentCount)
      sentCount += 1
      wantedAtMs.set(id, atMs)
      return exchange.encodeRequest(id)
    })
    waiting = waiting.slice(room)
    if (frames.length > 0) party.write(frames.length === 1 ? frames[0] : Buffer.concat(frames))
  }
  const wantMore = (count) => {
    const nowMs = performance.now()
    for (let index = 0; index < count; index += 1) waiting.push(nowMs)
    send()
  }
  await new Promise((resolve, reject) => {
    party.closed.then((reason) => reject(new Error(reason)))
    let wantedCount = 0
    const clock = setInterval(() => {
      const elapsedMs = performance.now() - startedAtMs
      if (!isOver()) {
        if (ratePerSecond === undefined) return
        const dueCount = Math.floor((elapsedMs * ratePerSecond) / 1000)
        wantMore(dueCount - wantedCount)
        wantedCount = dueCount
      } else if (
        wantedAtMs.size === 0 ||
        elapsedMs > warmUpMs + durationMs + lastAnswersTimeoutMs
      ) {
        clearInterval(clock)
        resolve()
      }
    }, 1)
    receiveIds = (ids) => {
      const nowMs = performance.now()
      for (const id of ids) {
        const atMs = wantedAtMs.get(id)
        wantedAtMs.delete(id)
        if (atMs - startedAtMs > warmUpMs) latenciesMs.push(nowMs - atMs)
      }
      if (isOver()) return
      if (ratePerSecond === undefined) wantMore(ids.length)
      else send()
    }
    if (ratePerSecond === undefined) wantMore(outstandingAtMost)
  })
  latenciesMs.sort((a, b) => a - b)
  return {
    answeredCount: latenciesMs.length,
    unansweredCount: wantedAtMs.size + waiting.length,
    perSecond: (latenciesMs.length * 1000) / durationMs,
    medianMs: getQuantile(latenciesMs, 0.5),
    percentile99Ms: getQuantile(latenciesMs, 0.99),
  }
}

function getQuantile(sorted, quantile) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))]
}

function close() {
  party?.close()
  party = undefined
}

serveCalls({ open, request, close })
