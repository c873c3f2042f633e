// No protocol: bytes that the TCP splice copies through. Frames are as long as a NATS delivery and
// all bytes are equal, so that a frame may be cut anywhere and still be counted.
import * as nats from './nats.mjs'

export const name = 'raw'

export const deliveryFirstByte = 'x'.charCodeAt(0)

export async function greet() {}

export async function greetAsPublisher(connection) {
  connection.socket.write('P')
  await connection.receiveUntil((text) => text.length >= 1)
}

export async function subscribe(connection) {
  connection.socket.write('S')
  await connection.receiveUntil((text) => text.length >= 1)
}

export function encodePublish(topic, payload) {
  const frameBytes = nats.getDeliveryBytes({ topic, payloadBytes: payload.length, id: 1 })
  return Buffer.alloc(frameBytes, deliveryFirstByte)
}

export function getDeliveryBytes({ topic, payloadBytes }) {
  return nats.getDeliveryBytes({ topic, payloadBytes, id: 1 })
}

export function receiveOther(_connection, { firstByte }) {
  throw new Error(`unexpected byte ${firstByte} where a frame should begin`)
}
