// The NATS core protocol as the load generators need it: prebuilt frames out, frames of one known
// length in.
import { requestIdDigits } from './request-id.mjs'

export const name = 'nats'

export const deliveryFirstByte = 'M'.charCodeAt(0)

const pingFirstByte = 'P'.charCodeAt(0)
const pingBytes = 'PING\r\n'.length
const errorFirstByte = '-'.charCodeAt(0)

export async function greet(connection) {
  await connection.receiveUntil((text) => text.includes('\r\n'))
  connection.socket.write('CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n')
  await connection.receiveUntil((text) => text.includes('PONG\r\n'))
}

export async function greetAsPublisher(connection) {
  await greet(connection)
}

/** Resolves once the server has the subscriptions; the n-th topic gets the sid `firstId` + n. */
export async function subscribe(connection, { topics, firstId }) {
  const lines = topics.map((topic, index) => `SUB ${topic} ${firstId + index}\r\n`)
  connection.socket.write(lines.join('') + 'PING\r\n')
  await connection.receiveUntil((text) => text.includes('PONG\r\n'))
}

export function encodePublish(topic, payload) {
  return Buffer.concat([
    Buffer.from(`PUB ${topic} ${payload.length}\r\n`, 'latin1'),
    payload,
    Buffer.from('\r\n'),
  ])
}

export function getDeliveryBytes({ topic, payloadBytes, id }) {
  return `MSG ${topic} ${id} ${payloadBytes}\r\n`.length + payloadBytes + 2
}

/** The length of a frame that is no delivery. A ping is answered; an error ends the run. */
export function receiveOther(connection, { firstByte, bytes, position }) {
  if (firstByte === pingFirstByte) {
    connection.socket.write('PONG\r\n')
    return pingBytes
  }
  if (firstByte === errorFirstByte) {
    throw new Error(bytes.toString('latin1', position, position + 80).split('\r\n')[0])
  }
  throw new Error(`unexpected byte ${firstByte} where a frame should begin`)
}

/** A request names its reply topic, in an inbox to which the requester has one wildcard subscription. */
export function createExchange({ payloadBytes }) {
  const payload = 'x'.repeat(payloadBytes)
  const service = 'bench.service'
  const inbox = '_INBOX.bench.'
  const requestId = '0'.repeat(requestIdDigits)
  return {
    requestTopic: service,
    replyTopic: `${inbox}*`,
    encodeRequest: (id) =>
      Buffer.from(`PUB ${service} ${inbox}${id} ${payloadBytes}\r\n${payload}\r\n`, 'latin1'),
    encodeReply: (id) =>
      Buffer.from(`PUB ${inbox}${id} ${payloadBytes}\r\n${payload}\r\n`, 'latin1'),
    requestDelivery: {
      frameBytes: `MSG ${service} 1 ${inbox}${requestId} ${payloadBytes}\r\n${payload}\r\n`.length,
      idOffset: `MSG ${service} 1 ${inbox}`.length,
    },
    replyDelivery: {
      frameBytes: `MSG ${inbox}${requestId} 1 ${payloadBytes}\r\n${payload}\r\n`.length,
      idOffset: `MSG ${inbox}`.length,
    },
  }
}
