// What the raw generators share: prebuilt frames out in large writes, and bytes in that are kept until a frame is whole.
import { openConnection } from '../generators/connection.mjs'

const batchBytes = 128 * 1024

export async function openWire(port) {
  const connection = await openConnection({ port })
  return connection
}

/** Answers `send(count)`, which writes the frame so many times. */
export function makeFrameSender(socket, frame) {
  const framesInBatch = Math.max(1, Math.floor(batchBytes / frame.length))
  const batch = Buffer.alloc(framesInBatch * frame.length, frame)
  return (count) => {
    for (let left = count; left > 0; left -= framesInBatch) {
      socket.write(batch.subarray(0, Math.min(left, framesInBatch) * frame.length))
    }
  }
}

/**
 * From now on, what the connection receives is handed to `take(bytes, from, to)`, which answers up to where it has understood; the rest
 * is offered again with what follows it.
 */
export function receiveFrames(connection, take, failed) {
  let rest = Buffer.alloc(0)
  connection.closed.then((reason) => failed(new Error(reason)))
  connection.receive = (byteCount, received) => {
    const arrived = received.subarray(0, byteCount)
    const bytes = rest.length === 0 ? arrived : Buffer.concat([rest, arrived])
    try {
      const understoodTo = take(bytes, 0, bytes.length)
      rest =
        understoodTo === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(understoodTo))
    } catch (error) {
      failed(error)
    }
  }
}
