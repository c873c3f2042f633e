// Prints prices as they come, by the official NATS client: node examples/live-prices/official-watch.mjs --count 560
import { connect } from '@nats-io/transport-node'
import { readFlags } from './prices.mjs'

const { url, count } = readFlags({ count: { type: 'string' } })
const connection = await connect({ servers: url })

const prices = connection.subscribe('price.*')
await connection.flush()
console.error('Watching price.*')

let received = 0
for await (const message of prices) {
  const { date, price } = message.json()
  console.log(message.subject.split('.')[1], date, price)
  received += 1
  if (received === Number(count)) break
}
await connection.close()
