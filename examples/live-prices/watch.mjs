// Prints prices as they come, by the library: node examples/live-prices/watch.mjs --count 560
import { openBroker } from 'fanfare'
import { Price, readFlags } from './prices.mjs'

const { url, count } = readFlags({ count: { type: 'string' } })
const broker = await openBroker({ url })

const prices = broker.messages(Price)
// A flush resolves when the server has seen the subscription: what is published from now on arrives.
await broker.flush()
console.error(`Watching ${Price.template.pattern}`)

let received = 0
for await (const { params, data } of prices) {
  console.log(params.symbol, data.date, data.price)
  received += 1
  if (received === Number(count)) break
}
await broker.close()
