// RabbitMQ with publisher confirms: persistent messages to a durable queue. A queue forgets what was acknowledged: no replay.
import { connect } from 'amqplib'
import { consumeInWindow } from '../consume-window.mjs'

const queue = 'bench'

export async function open({ port, payloadBytes }) {
  const connection = await connect(`amqp://127.0.0.1:${port}`)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(queue, { durable: true })
  const body = Buffer.alloc(payloadBytes, 'x')
  return {
    makePublisher(settled, failed) {
      const confirmed = (error) => (error ? failed(error) : settled(1))
      return (count) => {
        for (let sent = 0; sent < count; sent += 1)
          channel.sendToQueue(queue, body, { persistent: true }, confirmed)
      }
    },
    consume: (terms) => consume(connection, terms),
    async close() {
      await channel.deleteQueue(queue)
      await connection.close()
    },
  }
}

async function consume(connection, { inFlight, count, durationMs }) {
  const channel = await connection.createChannel()
  await channel.prefetch(inFlight)
  const consumed = await consumeInWindow({ count, durationMs }, async (took) => {
    await channel.consume(queue, (message) => {
      if (took.isOver) return
      const isLast = took.next()
      channel.ack(message)
      // The answer to this comes after the acknowledgements before it were taken.
      if (isLast) channel.checkQueue(queue).then(() => took.finish(), took.fail)
    })
  })
  await channel.close()
  return consumed
}
