// Redis pub/sub (RESP2) as the load generators need it. Publishers switch replies off, so that
// Redis, like the others, spends nothing on answering each publish.
import { createTwoTopicExchange } from './two-topic-exchange.mjs'

export const name = 'redis'

export const deliveryFirstByte = '*'.charCodeAt(0)

/** A connection that subscribes may not publish. */
export const publishesApart = true

function encodeCommand(...words) {
  const parts = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.from(word)
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

export async function greet(connection) {
  connection.socket.write(encodeCommand('PING'))
  await connection.receiveUntil((text) => text.includes('+PONG\r\n'))
}

export async function greetAsPublisher(connection) {
  await greet(connection)
  connection.socket.write(encodeCommand('CLIENT', 'REPLY', 'OFF'))
}

/** Resolves once the server has the subscriptions; Redis counts them for each connection. */
export async function subscribe(connection, { topics, firstId }) {
  const total = firstId - 1 + topics.length
  connection.socket.write(encodeCommand('SUBSCRIBE', ...topics))
  await connection.receiveUntil((text) => text.endsWith(`:${total}\r\n`))
}

export function encodePublish(topic, payload) {
  return encodeCommand('PUBLISH', topic, payload)
}

export function getDeliveryBytes({ topic, payloadBytes }) {
  return encodeCommand('message', topic, Buffer.alloc(payloadBytes)).length
}

export function receiveOther(_connection, { firstByte }) {
  throw new Error(`unexpected byte ${firstByte} where a frame should begin`)
}

export function createExchange({ payloadBytes }) {
  return createTwoTopicExchange({
    encodePublish,
    getDeliveryBytes,
    payloadBytes,
    bytesAfterPayload: '\r\n'.length,
  })
}
