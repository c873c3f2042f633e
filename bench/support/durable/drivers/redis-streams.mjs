// Redis Streams over the wire (RESP2): XADD; XREADGROUP and XACK; XRANGE. A reply to XADD is its confirmation: with
// `appendfsync always`, Redis syncs before it replies.
import { performance } from 'node:perf_hooks'
import { consumeInWindow } from '../consume-window.mjs'
import { makeFrameSender, openWire, receiveFrames } from '../wire-frames.mjs'

const entriesInReply = 256
const stream = 'bench'
const group = 'group'

export async function open({ port, payloadBytes }) {
  const connection = await openWire(port)
  const frame = encodeCommand('XADD', stream, '*', 'b', Buffer.alloc(payloadBytes, 'x'))
  await ask(connection, 'FLUSHALL')
  return {
    makePublisher(settled, failed) {
      receiveFrames(connection, countReplies(settled), failed)
      return makeFrameSender(connection.socket, frame)
    },
    consume: (terms) => consume(port, terms),
    replay: () => replay(port),
    async close() {
      connection.socket.destroy()
      const last = await openWire(port)
      await ask(last, 'FLUSHALL')
      last.socket.destroy()
    },
  }
}

function encodeCommand(...words) {
  const parts = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.from(word)
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

async function ask(connection, ...words) {
  connection.socket.write(encodeCommand(...words))
  const reply = await connection.receiveUntil((text) => text.endsWith('\r\n'))
  if (reply.startsWith('-')) throw new Error(reply.trim())
}

/** Replies to XADD are ids, `$15\r\n1700000000000-0\r\n`: two lines each. */
function countReplies(settled) {
  let lineCount = 0
  return (bytes, from, to) => {
    if (bytes[from] === 0x2d) throw new Error(bytes.toString('latin1', from, Math.min(to, 200)))
    for (let at = from; at < to; at += 1) if (bytes[at] === 0x0a) lineCount += 1
    const count = lineCount >> 1
    lineCount &= 1
    if (count > 0) settled(count)
    return to
  }
}

/** Hands `onValue(type, number, bytes, from, to)` each value of the replies, elements of arrays one by one. */
function stepThroughReplies(onValue) {
  return (bytes, from, to) => {
    for (let at = from; ;) {
      const lineEnd = bytes.indexOf('\r\n', at)
      if (lineEnd < 0 || lineEnd + 2 > to) return at
      const type = bytes[at]
      const number = Number(bytes.latin1Slice(at + 1, lineEnd))
      let next = lineEnd + 2
      if (type === 0x2d) throw new Error(bytes.latin1Slice(at, lineEnd))
      if (type === 0x24 && number >= 0) {
        next += number + 2
        if (next > to) return at
        onValue('$', number, bytes, lineEnd + 2, next - 2)
      } else onValue(String.fromCharCode(type), number)
      at = next
      if (at === to) return at
    }
  }
}

async function consume(port, { inFlight, count, durationMs }) {
  const connection = await openWire(port)
  const { socket } = connection
  await ask(connection, 'XGROUP', 'CREATE', stream, group, '0')
  const consumed = await consumeInWindow({ count, durationMs }, (took) => {
    const entries = Math.min(inFlight, entriesInReply)
    const readNext = encodeCommand(
      ...['XREADGROUP', 'GROUP', group, 'one', 'COUNT', `${entries}`, 'STREAMS', stream, '>'],
    )
    let acknowledgementsDue = 0
    let isLast = false
    const acknowledge = (ids) => {
      isLast = took.isOver
      acknowledgementsDue += 1
      socket.write(encodeCommand('XACK', stream, group, ...ids))
      if (!isLast) socket.write(readNext)
    }
    const reply = gatherEntries({ took, acknowledge, depthBefore: 1 })
    const take = stepThroughReplies((type, number, bytes, from, to) => {
      if (type !== ':') return reply(type, number, bytes, from, to)
      acknowledgementsDue -= 1
      if (isLast && acknowledgementsDue === 0) took.finish()
    })
    receiveFrames(connection, take, took.fail)
    for (let read = 0; read < Math.ceil(inFlight / entries); read += 1) socket.write(readNext)
  })
  socket.destroy()
  return consumed
}

/**
 * The entries of a reply: `*n`, then for each `*2 $id *2 $field $value`; before them, in XREADGROUP's, `*1 *2 $stream`. When all
 * have come, `acknowledge(ids)`.
 */
function gatherEntries({ took, acknowledge, depthBefore }) {
  let arraysSeen = 0
  let bulksSeen = 0
  let wantedCount = 0
  let ids = []
  const headArrays = depthBefore === 1 ? 2 : 0
  const headBulks = depthBefore === 1 ? 1 : 0
  return (type, number, bytes, from, to) => {
    if (type === '*') {
      // Nothing is left to read.
      if (number < 0) return
      if (arraysSeen === headArrays) wantedCount = number
      arraysSeen += 1
      return
    }
    bulksSeen += 1
    if ((bulksSeen - headBulks) % 3 === 1 && bulksSeen > headBulks) {
      ids.push(bytes.latin1Slice(from, to))
      took.next()
    }
    if (bulksSeen <= headBulks || bulksSeen - headBulks < wantedCount * 3) return
    const gathered = ids
    ids = []
    arraysSeen = 0
    bulksSeen = 0
    acknowledge(gathered)
  }
}

async function replay(port) {
  const connection = await openWire(port)
  const startedAtMs = performance.now()
  let messages = 0
  try {
    await new Promise((resolve, reject) => {
      const readFrom = (start) =>
        connection.socket.write(encodeCommand('XRANGE', stream, start, '+', 'COUNT', '1000'))
      const entry = gatherEntries({
        took: { next: () => (messages += 1) },
        acknowledge: (ids) => readFrom(`(${ids[ids.length - 1]}`),
        depthBefore: 0,
      })
      const take = stepThroughReplies((type, number, bytes, from, to) => {
        if (type === '*' && number === 0) resolve()
        else entry(type, number, bytes, from, to)
      })
      receiveFrames(connection, take, reject)
      readFrom('-')
    })
  } finally {
    connection.socket.destroy()
  }
  return { messages, elapsedMs: performance.now() - startedAtMs }
}
