// A closed loop: so many messages wait for their confirmation, and each one confirmed is followed by another until the time is
// up. The rate counts confirmations from the first send to the last of them.
import { performance } from 'node:perf_hooks'

const settlementsBetweenLooks = 64
const mostLatencies = 500_000

/**
 * `makePublisher(settled, failed)` answers `send(count)`; it calls `settled(count)` as messages are confirmed, never within
 * `send`. Latencies are taken with one in flight only: with more, they say how long the queue is.
 */
export function runWindow(makePublisher, { inFlight, durationMs, countAtMost = Infinity }) {
  return new Promise((resolve, reject) => {
    const latenciesMs = inFlight === 1 ? new Float64Array(mostLatencies) : undefined
    let sentCount = 0
    let settledCount = 0
    let sinceLook = 0
    let nowMs = performance.now()
    const startedAtMs = nowMs
    let sentAtMs = nowMs
    let isOver = false

    const send = (count) => {
      const allowed = Math.min(count, countAtMost - sentCount)
      if (allowed <= 0) return
      sentCount += allowed
      publish(allowed)
    }
    const settled = (count) => {
      settledCount += count
      sinceLook += count
      if (inFlight === 1 || sinceLook >= settlementsBetweenLooks) look()
      if (!isOver) send(count)
      if (settledCount === sentCount) finish()
    }
    const look = () => {
      sinceLook = 0
      nowMs = performance.now()
      isOver ||= nowMs - startedAtMs >= durationMs
      if (latenciesMs === undefined) return
      if (settledCount <= mostLatencies) latenciesMs[settledCount - 1] = nowMs - sentAtMs
      sentAtMs = nowMs
    }
    const finish = () => {
      const elapsedMs = performance.now() - startedAtMs
      resolve({
        messages: settledCount,
        elapsedMs,
        ...summarize(latenciesMs?.subarray(0, Math.min(settledCount, mostLatencies))),
      })
    }

    const publish = makePublisher(settled, reject)
    // In two halves, so that one can be filled while the other is being written.
    send(Math.ceil(inFlight / 2))
    setTimeout(() => !isOver && send(Math.floor(inFlight / 2)), 0)
  })
}

/** Promises instead of a callback: `publishOne` answers one for each message. */
export function sendingPromises(publishOne) {
  return (settled, failed) => {
    const settledOne = () => settled(1)
    return (count) => {
      for (let sent = 0; sent < count; sent += 1) publishOne().then(settledOne, failed)
    }
  }
}

export function summarize(latenciesMs) {
  if (latenciesMs === undefined || latenciesMs.length === 0) return {}
  const sorted = latenciesMs.slice().sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return { medianMs: at(0.5), percentile99Ms: at(0.99) }
}
