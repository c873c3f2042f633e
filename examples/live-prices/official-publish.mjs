// Publishes every price by the official NATS client: node examples/live-prices/official-publish.mjs --pace 100ms
import { connect } from '@nats-io/transport-node'
import { atPace, readFlags, readPrices } from './prices.mjs'

const { url, paceMs } = readFlags()
const connection = await connect({ servers: url })

let published = 0
for await (const { symbol, date, price } of atPace(readPrices(), paceMs)) {
  connection.publish(`price.${symbol}`, JSON.stringify({ date, price }))
  published += 1
}

await connection.drain()
console.error(`Published ${published} prices`)
