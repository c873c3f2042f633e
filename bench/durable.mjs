// Durable appends at the level of the log, beside the floor: a program that stores the same bytes with the same checksums, one
// write and one fdatasync for each group, the next group encoded meanwhile, and does nothing else.
// `node bench/durable.mjs --help` lists the options.
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { openSystemDisk, systemClock } from '../dist/base/index.js'
import { openFileLogStore } from '../dist/log/index.js'
import { describeMachine, formatMachine } from './support/machine.mjs'
import { formatTable } from './support/markdown.mjs'
import { getMedian } from './support/rounds.mjs'

const help = `Usage: node bench/durable.mjs [options]   (after npm run build)
  --directory DIR  where to write (a new one in the system's temporary directory)
  --seconds N      length of a round (1)
  --rounds N       rounds of each cell (3)`

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
})

const RECORD_HEADER_BYTES = 20
const BLOCK_HEADER_BYTES = 64
const BLOCK_BYTES = 65_536
const GROUP_BYTES = 1_048_576
const KEY = Buffer.from('price.AAPL')
const seconds = Number(values.seconds)

/** One group at a time on its way, at most half of what is in flight, so that the other half can be encoded. */
async function measureFloor(directory, bodyBytes, inFlight) {
  const descriptor = openSync(join(directory, 'floor'), 'w')
  const length = RECORD_HEADER_BYTES + KEY.length + bodyBytes
  const perGroup = Math.max(1, Math.min(inFlight >> 1, Math.floor(GROUP_BYTES / length)))
  const buffers = [makeBuffer(perGroup * (length + BLOCK_HEADER_BYTES)), undefined]
  buffers[1] = makeBuffer(buffers[0].bytes.length)
  const body = new Uint8Array(bodyBytes)
  let position = 0
  const commit = ({ bytes }, end) =>
    new Promise((resolve, reject) => {
      write(descriptor, bytes, 0, end, position, (failure) => {
        if (failure) reject(failure)
        else fdatasync(descriptor, (error) => (error ? reject(error) : resolve()))
      })
      position += end
    })
  const startedAt = performance.now()
  let records = 0
  let which = 0
  let end = encodeGroup(buffers[0], perGroup, body)
  while (performance.now() - startedAt < seconds * 1000) {
    const committed = commit(buffers[which], end)
    if (inFlight > 1) {
      which = 1 - which
      end = encodeGroup(buffers[which], perGroup, body)
    }
    await committed
    if (inFlight === 1) end = encodeGroup(buffers[which], perGroup, body)
    records += perGroup
  }
  closeSync(descriptor)
  return records / (performance.now() - startedAt)
}

function makeBuffer(size) {
  const bytes = new Uint8Array(size + BLOCK_BYTES)
  return { bytes, words: new DataView(bytes.buffer) }
}

function encodeGroup({ bytes, words }, records, body) {
  const length = RECORD_HEADER_BYTES + KEY.length + body.length
  let blockStart = 0
  let at = BLOCK_HEADER_BYTES
  const seal = () =>
    words.setUint32(blockStart + 8, crc32(bytes.subarray(blockStart + 12, at)), true)
  for (let i = 0; i < records; i++) {
    if (at > blockStart + BLOCK_HEADER_BYTES && at + length - blockStart > BLOCK_BYTES) {
      seal()
      blockStart = at
      at += BLOCK_HEADER_BYTES
    }
    words.setUint32(at, length, true)
    words.setUint32(at + 4, i, true)
    words.setUint32(at + 8, 0, true)
    words.setUint32(at + 12, KEY.length << 16, true)
    words.setUint32(at + 16, 0, true)
    for (let k = 0; k < KEY.length; k++) bytes[at + RECORD_HEADER_BYTES + k] = KEY[k]
    bytes.set(body, at + RECORD_HEADER_BYTES + KEY.length)
    at += length
  }
  seal()
  return at
}

async function measureLog(directory, bodyBytes, inFlight) {
  const disk = await openSystemDisk(join(directory, 'log'))
  const store = await openFileLogStore(disk, systemClock)
  const log = await store.create('log', { durability: 'fsync' })
  const body = new Uint8Array(bodyBytes)
  const startedAt = performance.now()
  const records = await new Promise((resolve, reject) => {
    let accepted = 0
    const append = (committed) => {
      while (accepted - committed < inFlight) {
        accepted = log.append(systemClock.nowMs(), 0, KEY, body, 0, 0, 0, bodyBytes)
      }
    }
    log.listen({
      committed: (through) => {
        if (performance.now() - startedAt >= seconds * 1000) resolve(through)
        else append(through)
      },
      failed: (_from, error) => reject(error),
    })
    append(0)
  })
  const perMs = records / (performance.now() - startedAt)
  await store.close()
  return perMs
}

async function measure(program, bodyBytes, inFlight) {
  const directory = values.directory ?? mkdtempSync(join(tmpdir(), 'fanfare-durable-'))
  try {
    return await program(directory, bodyBytes, inFlight)
  } finally {
    rmSync(join(directory, 'log'), { recursive: true, force: true })
    rmSync(join(directory, 'floor'), { force: true })
    if (values.directory === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

if (values.help) {
  console.log(help)
} else {
  const machine = describeMachine()
  const rows = []
  for (const bodyBytes of [128, 1024, 16_384]) {
    for (const inFlight of [1, 1_000, 10_000]) {
      const floor = []
      const ours = []
      for (let round = 0; round < Number(values.rounds); round++) {
        floor.push(await measure(measureFloor, bodyBytes, inFlight))
        ours.push(await measure(measureLog, bodyBytes, inFlight))
      }
      const [floorRate, ourRate] = [getMedian(floor), getMedian(ours)]
      rows.push([
        `${bodyBytes} B, ${inFlight.toLocaleString('en-US')} in flight`,
        Math.round(floorRate * 1000).toLocaleString('en-US'),
        Math.round(ourRate * 1000).toLocaleString('en-US'),
        (ourRate / floorRate).toFixed(2),
      ])
    }
  }
  console.log(formatMachine(machine, { rounds: values.rounds }))
  console.log()
  console.log(
    formatTable({ head: ['body', 'floor, records/s', 'log, records/s', 'log / floor'], rows }),
  )
}
