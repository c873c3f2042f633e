// What all programs of this example share: the definition of a price, the prices themselves, and the flags.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { event } from 'fanfare'

/** One price of one stock: published as `price.AAPL`, subscribed to as `price.*`. */
export const Price = event('price.{symbol}')

/** Every price of the file as `{ symbol, date, price }`, the oldest first, so that the stocks run side by side. */
export function readPrices() {
  const file = new URL('../data/stocks.csv', import.meta.resolve('vega-datasets'))
  const [, ...rows] = readFileSync(file, 'utf8').trim().split(/\r?\n/)
  return rows
    .map((row) => {
      const [symbol, date, price] = row.split(',')
      return { symbol, date: toIsoDate(date), price: Number(price) }
    })
    .sort((left, right) => left.date.localeCompare(right.date))
}

/** The prices, one every `paceMs` milliseconds. */
export async function* atPace(prices, paceMs) {
  for (const price of prices) {
    yield price
    if (paceMs > 0) await sleep(paceMs)
  }
}

/** Reads `--url`, `--pace` and what else `options` names. */
export function readFlags(options = {}) {
  const { values } = parseArgs({
    options: { url: { type: 'string' }, pace: { type: 'string' }, ...options },
  })
  return {
    ...values,
    url: values.url ?? process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
    paceMs: toMilliseconds(values.pace ?? '100ms'),
  }
}

/** `Jan 1 2000` as `2000-01-01`. */
function toIsoDate(text) {
  return new Date(`${text} UTC`).toISOString().slice(0, 10)
}

function toMilliseconds(pace) {
  const [, amount, unit] = /^(\d+)(ms|s)$/.exec(pace) ?? []
  if (amount === undefined) throw new Error(`--pace must look like 100ms or 1s, not ${pace}`)
  return Number(amount) * (unit === 's' ? 1_000 : 1)
}
