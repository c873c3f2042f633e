// What a way of using a broker leaves behind: bytes of the heap after collection, timers (those too that do not keep the process
// alive), listeners on a signal that outlives it, handles, files, subscriptions, messages that wait.
//
// A program warms up first. Then it runs, at most `ROUNDS` times, until a whole round leaves the heap where it was: caches fill and
// compiled code settles, while a leak grows by as much in each round.
import { getEventListeners } from 'node:events'
import { readdirSync } from 'node:fs'

const ROUNDS = 5
/** The growth that is allowed, in parts of the heap. */
const TOLERANCE = 0.02

const timers = new Set()
const { setTimeout: startTimeout, clearTimeout: stopTimeout } = globalThis

/** Counts timers from now on; to be called before what is to be measured is loaded. */
export function countTimers() {
  globalThis.setTimeout = (callback, delay, ...rest) => {
    const timer = startTimeout(
      (...values) => {
        timers.delete(timer)
        callback(...values)
      },
      delay,
      ...rest,
    )
    timers.add(timer)
    return timer
  }
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer)
    stopTimeout(timer)
  }
}

/** Resolves when what was begun and is not waited for has had its turns. */
export async function settle() {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function heapBytes() {
  await settle()
  for (let times = 0; times < 3; times++) {
    globalThis.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

function countOpenFiles() {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

/** What can be counted exactly. */
function takeStock({ brokers, signals }) {
  return {
    timers: timers.size,
    listeners: signals.reduce((sum, each) => sum + getEventListeners(each, 'abort').length, 0),
    resources: process.getActiveResourcesInfo().sort().join(' '),
    files: countOpenFiles(),
    subscriptions: brokers.map(({ engine }) => engine.statistics.subscriptions).join(' '),
  }
}

/**
 * Runs `run(cycles)` until the heap stays where it was, within the tolerance, and tells what was left behind.
 *
 * @param {{ name: string, cycles: number, run: (cycles: number) => unknown }} program
 * @param {{ brokers: readonly object[], signals: readonly AbortSignal[] }} place
 */
export async function measure({ name, cycles, run }, place) {
  await run(Math.ceil(cycles / 4))
  let bytes = await heapBytes()
  const before = takeStock(place)
  let growth = Infinity
  for (let round = 0; round < ROUNDS && growth > TOLERANCE; round++) {
    await run(cycles)
    const bytesBefore = bytes
    bytes = await heapBytes()
    growth = bytes / bytesBefore - 1
  }
  const after = takeStock(place)
  const left = Object.keys(before).filter((what) => before[what] !== after[what])
  // One that was begun before may have ended meanwhile.
  if (after.timers < before.timers) left.splice(left.indexOf('timers'), 1)
  if (growth > TOLERANCE) left.push(`heap by ${(growth * 100).toFixed(1)} %`)
  return { name, cycles, left }
}
