// Publishes every price by the library: node examples/live-prices/publish.mjs --pace 100ms
import { openBroker } from 'fanfare'
import { atPace, Price, readFlags, readPrices } from './prices.mjs'

const { url, paceMs } = readFlags()
const broker = await openBroker({ url })

let published = 0
for await (const { symbol, date, price } of atPace(readPrices(), paceMs)) {
  broker.emit(Price, { date, price }, { params: { symbol }, key: symbol })
  published += 1
}

// Sends what still waits in this process before it ends.
await broker.close()
console.error(`Published ${published} prices`)
