// The process that one contender is measured in: it holds the log itself, or the client of a service.
import { setTimeout as sleep } from 'node:timers/promises'
import { serveCalls } from '../generators/worker.mjs'
import { runWindow } from './window.mjs'

const topic = 'bench.durable'
const warmUpMs = 200
const fillInFlight = 1_000
const mostFilledMessages = 2_000_000
const mostFilledBytes = 256 * 1024 * 1024

let driver
let filledCount = 0

async function open({ driverName, directory, port, payloadBytes }) {
  const { open } = await import(`./drivers/${driverName}.mjs`)
  filledCount = 0
  driver = await open({ directory, port, topic, payloadBytes })
}

async function publish({ inFlight, durationMs }) {
  await runWindow(driver.makePublisher, { inFlight, durationMs: Math.min(warmUpMs, durationMs) })
  const cpuBefore = process.cpuUsage()
  const result = await runWindow(driver.makePublisher, { inFlight, durationMs })
  const { user, system } = process.cpuUsage(cpuBefore)
  return { ...result, cpuMs: (user + system) / 1000 }
}

/** Puts in what consumers and replays then take out: as much as this contender can in the time, within bounds. */
async function fill({ payloadBytes, durationMs }) {
  const countAtMost = Math.min(mostFilledMessages, Math.ceil(mostFilledBytes / payloadBytes))
  const terms = { inFlight: fillInFlight, durationMs, countAtMost }
  const { messages } = await runWindow(driver.makePublisher, terms)
  filledCount += messages
  return messages
}

async function consume({ inFlight, durationMs }) {
  if (driver.consume === undefined) return undefined
  const consumed = await driver.consume({ inFlight, durationMs, count: filledCount })
  return consumed
}

async function replay() {
  if (driver.replay === undefined) return undefined
  const replayed = await driver.replay({ count: filledCount })
  if (replayed.messages !== filledCount)
    throw new Error(`replayed ${replayed.messages} of ${filledCount}`)
  return replayed
}

async function close() {
  await driver?.close()
  driver = undefined
  // Lets the kernel begin to write back what this contender left before the next one starts.
  await sleep(20)
}

serveCalls({ open, publish, fill, consume, replay, close })
