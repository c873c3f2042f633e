// Measures one layer in this process, which does nothing else.
import { performance } from 'node:perf_hooks'
import * as fanfare from '../../../dist/broker/index.js'
import { layers } from './layers.mjs'

const messagesBetweenLooks = 2_000

const [layerIndex, durationMs] = process.argv.slice(2)
const layer = await layers[layerIndex].open(fanfare)
await runFor(Number(durationMs) / 3)
const { count, elapsedMs } = await runFor(Number(durationMs))
await layer.close()
process.stdout.write(JSON.stringify({ nanoseconds: (elapsedMs * 1e6) / count }))

async function runFor(wantedMs) {
  const startedAtMs = performance.now()
  let count = 0
  let elapsedMs = 0
  while (elapsedMs < wantedMs) {
    await layer.run(messagesBetweenLooks)
    count += messagesBetweenLooks
    elapsedMs = performance.now() - startedAtMs
  }
  return { count, elapsedMs }
}
