// MQTT 3.1.1 at quality of service 0 as the load generators need it, with keep-alive off.
import { randomUUID } from 'node:crypto'

import { createTwoTopicExchange } from './two-topic-exchange.mjs'

export const name = 'mqtt'

const connectPacket = 0x10
const publishPacket = 0x30
const subscribePacket = 0x82

export const deliveryFirstByte = publishPacket

function encodeText(text) {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

/** The remaining length: 7 bits a byte, least significant first, the top bit says that more follow. */
function encodeLength(length) {
  const bytes = []
  do {
    const more = length > 0x7f ? 0x80 : 0
    bytes.push((length & 0x7f) | more)
    length >>>= 7
  } while (length > 0)
  return Buffer.from(bytes)
}

function encodePacket(firstByte, ...parts) {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([firstByte]), encodeLength(body.length), body])
}

export async function greet(connection) {
  const cleanSession = 0x02
  const protocolLevel = 4
  const keepAliveSeconds = 0
  connection.socket.write(
    encodePacket(
      connectPacket,
      encodeText('MQTT'),
      Buffer.from([protocolLevel, cleanSession, 0, keepAliveSeconds]),
      encodeText(randomUUID().slice(0, 23)),
    ),
  )
  const reply = await connection.receiveUntil((text) => text.length >= 4)
  if (reply.charCodeAt(3) !== 0) throw new Error(`connection refused with ${reply.charCodeAt(3)}`)
}

export async function greetAsPublisher(connection) {
  await greet(connection)
}

/** Resolves once the server has the subscriptions: one answer byte for each topic. */
export async function subscribe(connection, { topics }) {
  const packetIdentifier = Buffer.from([0, 1])
  const filters = topics.map((topic) => Buffer.concat([encodeText(topic), Buffer.from([0])]))
  connection.socket.write(encodePacket(subscribePacket, packetIdentifier, ...filters))
  const answerBytes = encodePacket(0x90, packetIdentifier, Buffer.alloc(topics.length)).length
  await connection.receiveUntil((text) => text.length >= answerBytes)
}

export function encodePublish(topic, payload) {
  return encodePacket(publishPacket, encodeText(topic), payload)
}

export function getDeliveryBytes({ topic, payloadBytes }) {
  return encodePublish(topic, Buffer.alloc(payloadBytes)).length
}

export function receiveOther(_connection, { firstByte }) {
  throw new Error(`unexpected byte ${firstByte} where a frame should begin`)
}

export function createExchange({ payloadBytes }) {
  return createTwoTopicExchange({
    encodePublish,
    getDeliveryBytes,
    payloadBytes,
    bytesAfterPayload: 0,
  })
}
