// Measures one library at one workload in this process, which does nothing else: a library tried
// after another would meet what the compiler learned from the first.
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { libraries } from './libraries.mjs'
import { workloads } from './workloads.mjs'

const emitsBetweenLooks = 2_000
const deliveryTimeoutMs = 5_000

const [libraryName, workloadIndex, durationMs] = process.argv.slice(2)
const library = libraries.find(({ name }) => name === libraryName)
const workload = workloads[workloadIndex]

const bus = await library.open(workload)
const counter = { sum: 0 }
const otherCounter = { sum: 0 }
for (const pattern of workload.others) bus.subscribe(pattern, otherCounter)
for (const pattern of workload.patterns) bus.subscribe(pattern, counter)

await emitFor(Number(durationMs) / 3)
counter.sum = 0
const { emitCount, elapsedMs } = await emitFor(Number(durationMs))
const deliveredTooOften = otherCounter.sum
await bus.close()
if (deliveredTooOften !== 0) throw new Error(`${deliveredTooOften} deliveries to other patterns`)
process.stdout.write(JSON.stringify({ emitsPerSecond: (emitCount * 1000) / elapsedMs }))

async function emitFor(wantedMs) {
  const { topics } = workload
  const body = { value: 1 }
  const sumBefore = counter.sum
  const startedAtMs = performance.now()
  let emitCount = 0
  let topicIndex = 0
  let elapsedMs = 0
  while (elapsedMs < wantedMs) {
    for (let emit = 0; emit < emitsBetweenLooks; emit += 1) {
      if (library.isAwaited) await bus.emit(topics[topicIndex], body)
      else bus.emit(topics[topicIndex], body)
      topicIndex += 1
      if (topicIndex === topics.length) topicIndex = 0
    }
    emitCount += emitsBetweenLooks
    await untilDelivered(sumBefore + emitCount * workload.patterns.length)
    elapsedMs = performance.now() - startedAtMs
  }
  return { emitCount, elapsedMs }
}

/** Costs nothing where delivery happens within emit; elsewhere the wait belongs to the work. */
async function untilDelivered(expectedSum) {
  if (counter.sum === expectedSum) return
  const giveUpAtMs = performance.now() + deliveryTimeoutMs
  while (counter.sum !== expectedSum) {
    if (performance.now() > giveUpAtMs) {
      throw new Error(`delivered ${counter.sum} instead of ${expectedSum}`)
    }
    await nextTurn()
  }
}
