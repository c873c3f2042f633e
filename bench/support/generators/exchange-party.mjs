// One side of request and reply: subscribed to one topic, able to publish, and told the id in each
// frame that arrives.
import { getProtocol } from '../protocols/index.mjs'
import { requestIdDigits } from '../protocols/request-id.mjs'
import { openConnection } from './connection.mjs'

export async function openParty({ protocolName, port, topic, delivery, onIds }) {
  const protocol = getProtocol(protocolName)
  const receiving = await openConnection({ port })
  await protocol.greet(receiving)
  await protocol.subscribe(receiving, { topics: [topic], firstId: 1 })
  const sending = protocol.publishesApart ? await openConnection({ port }) : receiving
  if (sending !== receiving) await protocol.greetAsPublisher(sending)
  receiveIds(receiving, { protocol, delivery, onIds })
  return {
    write: (bytes) => sending.socket.write(bytes),
    closed: Promise.race([receiving.closed, sending.closed]),
    close: () => [receiving, sending].forEach(({ socket }) => socket.destroy()),
  }
}

function receiveIds(connection, { protocol, delivery, onIds }) {
  const { frameBytes, idOffset } = delivery
  let rest = Buffer.alloc(0)
  connection.receive = (byteCount, buffer) => {
    const arrived = buffer.subarray(0, byteCount)
    const bytes = rest.length === 0 ? arrived : Buffer.concat([rest, arrived])
    const ids = []
    let position = 0
    while (position < bytes.length) {
      const firstByte = bytes[position]
      if (firstByte !== protocol.deliveryFirstByte) {
        position += protocol.receiveOther(connection, { firstByte, bytes, position })
        continue
      }
      if (position + frameBytes > bytes.length) break
      const idPosition = position + idOffset
      ids.push(bytes.toString('latin1', idPosition, idPosition + requestIdDigits))
      position += frameBytes
    }
    // A copy, as the connection's buffer is read into again.
    rest = Buffer.from(bytes.subarray(position))
    if (ids.length > 0) onIds(ids)
  }
}
