// The NATS protocol as the raw JetStream generator needs it: requests to its API, and frames whose topics and lengths vary.
import * as nats from '../protocols/nats.mjs'
import { openWire, receiveFrames } from './wire-frames.mjs'

const lineEnd = Buffer.from('\r\n')
const space = 0x20

export async function openNats(port) {
  const connection = await openWire(port)
  await nats.greet(connection)
  return connection
}

/** One call of the JetStream API; rejects with what it complains of. */
export async function callJetStream(port, call, content = {}) {
  const connection = await openNats(port)
  try {
    const body = JSON.stringify(content)
    connection.socket.write(
      `SUB _INBOX.api 1\r\nPUB $JS.API.${call} _INBOX.api ${Buffer.byteLength(body)}\r\n${body}\r\n`,
    )
    const text = await connection.receiveUntil((text) => /^MSG .*\r\n\{.*\}\r\n$/s.test(text))
    const answer = JSON.parse(text.slice(text.indexOf('\r\n') + 2))
    if (answer.error) throw new Error(`${call}: ${answer.error.description}`)
    return answer
  } finally {
    connection.socket.destroy()
  }
}

/**
 * Calls `onMessage(bytes, headStart, headEnd, bodyStart, bodyEnd)` for each delivery, its head being the line without its end,
 * and `onPong()`; answers pings.
 */
export function receiveMessages(connection, { onMessage, onPong = () => {}, failed }) {
  receiveFrames(
    connection,
    (bytes, from, to) => {
      for (let at = from; at < to;) {
        const end = bytes.indexOf(lineEnd, at)
        if (end < 0) return at
        const first = bytes[at]
        if (first === nats.deliveryFirstByte) {
          const bodyEnd = end + 2 + lastNumber(bytes, end)
          if (bodyEnd + 2 > to) return at
          onMessage(bytes, at, end, end + 2, bodyEnd)
          at = bodyEnd + 2
          continue
        }
        const line = bytes.latin1Slice(at, end)
        if (line === 'PONG') onPong()
        else if (line === 'PING') connection.socket.write('PONG\r\n')
        else if (line.startsWith('-ERR')) throw new Error(line)
        at = end + 2
      }
      return to
    },
    failed,
  )
}

function lastNumber(bytes, end) {
  let value = 0
  for (let at = end - 1, unit = 1; bytes[at] !== space; at -= 1, unit *= 10)
    value += (bytes[at] - 0x30) * unit
  return value
}
