// Prints the prices of one stock as JSON, one a line, for a pipe:
// node examples/live-prices/lines.mjs --symbol AAPL --pace 100ms | npx fanfare pub price.AAPL
import { atPace, readFlags, readPrices } from './prices.mjs'

const { paceMs, symbol } = readFlags({ symbol: { type: 'string' } })
const prices = readPrices().filter((price) => price.symbol === symbol)

for await (const { date, price } of atPace(prices, paceMs)) {
  console.log(JSON.stringify({ date, price }))
}
