// A flooding publisher, a subscriber that stopped reading, and a hundred that read: the one is cut off at its limit, the
// others get everything, and the server's memory stays within twice the pending limit and 64 MiB.
import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { launch, serversUnderTest, type RunningServer } from '../interop/server-under-test.js'

const MAX_PENDING_BYTES = 32 * 1024 * 1024
const ALLOWED_GROWTH_BYTES = 2 * MAX_PENDING_BYTES + 64 * 1024 * 1024
const READERS = 100
const BODY_BYTES = 1_024
/** Enough to overfill the kernel's buffers and the limit of the one that does not read. */
const MESSAGES = 48_000
const END_FRAME = 'PUB flood 3\r\nEND\r\n'
const END_DELIVERED = 'MSG flood 1 3\r\nEND\r\n'
/** Enough to hold the last message and the pings that may follow it. */
const TAIL_BYTES = 128
const PING = 'PING\r\n'

const fanfare = serversUnderTest().find((kind) => kind.name === 'fanfare')
let server: RunningServer | undefined
const sockets: Socket[] = []

let watch: NodeJS.Timeout | undefined

afterEach(async () => {
  clearInterval(watch)
  for (const socket of sockets.splice(0)) socket.destroy()
  await server?.stop()
})

it.skipIf(fanfare === undefined || process.platform !== 'linux')(
  'cuts off the stuck subscriber, loses nothing for the others and bounds its memory',
  { timeout: 120_000 },
  async () => {
    server = await launch(fanfare!, { configuration: `max_pending: ${MAX_PENDING_BYTES}` })
    const frame = `MSG flood 1 ${BODY_BYTES}\r\n${'x'.repeat(BODY_BYTES)}\r\n`
    const wantedBytes = frame.length * MESSAGES + END_DELIVERED.length
    const stuck = await subscribe(server.port)
    stuck.pause()
    const readers = await Promise.all(
      Array.from({ length: READERS }, async () => countBytes(await subscribe(server!.port))),
    )
    const before = residentBytes(server.process.pid!)
    let peak = before
    watch = setInterval(() => (peak = Math.max(peak, residentBytes(server!.process.pid!))), 20)

    await flood(server.port)
    await Promise.all(readers.map((reader) => reader.ended))
    clearInterval(watch)

    await server.logged('Slow Consumer')
    expect(server.logs().match(/Slow Consumer Detected/g)).toHaveLength(1)
    for (const reader of readers) {
      // A few pings of the server's may lie between the messages, each far shorter than a message.
      const extraBytes = reader.bytes - wantedBytes
      expect(extraBytes % PING.length).toBe(0)
      expect(extraBytes).toBeGreaterThanOrEqual(0)
      expect(extraBytes).toBeLessThan(BODY_BYTES)
    }
    expect(peak - before).toBeLessThan(ALLOWED_GROWTH_BYTES)
  },
)

async function subscribe(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port })
  sockets.push(socket)
  socket.on('error', () => {})
  socket.write('CONNECT {"verbose":false,"pedantic":false}\r\nSUB flood 1\r\nPING\r\n')
  let greeting = ''
  while (!greeting.endsWith('PONG\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    greeting += chunk.toString('latin1')
  }
  return socket
}

/** Counts what a subscriber is sent, up to the message that ends the flood. */
function countBytes(socket: Socket) {
  let tail = ''
  const counter = { bytes: 0, ended: Promise.resolve() }
  counter.ended = new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      counter.bytes += chunk.length
      tail = (tail + chunk.subarray(-TAIL_BYTES).toString('latin1')).slice(-TAIL_BYTES)
      if (tail.includes(END_DELIVERED)) resolve()
    })
  })
  return counter
}

async function flood(port: number): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port })
  sockets.push(socket)
  socket.resume()
  socket.write('CONNECT {"verbose":false,"pedantic":false}\r\n')
  const frame = `PUB flood ${BODY_BYTES}\r\n${'x'.repeat(BODY_BYTES)}\r\n`
  const batch = Buffer.from(frame.repeat(100))
  for (let sent = 0; sent < MESSAGES; sent += 100) {
    if (!socket.write(batch)) await once(socket, 'drain')
  }
  socket.write(END_FRAME)
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024
}
