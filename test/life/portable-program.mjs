// What a broker in memory does, for runtimes other than Node: live messages, requests, streams, retries, an end. It resolves with what
// it saw.
export const EXPECTED = {
  live: ['AAPL', 187.2],
  answer: 49,
  sequences: [1, 2],
  handled: [1, 2, 2],
  read: [1, 2],
  code: 'NO_STREAM',
}

/** @param {{ openBroker: Function, event: Function }} fanfare */
export async function run({ event, openBroker }) {
  const Price = event('price.{symbol}')
  const broker = await openBroker({ onEvent: () => {} })
  const live = []
  broker.subscribe(Price, ({ params, data }) => void live.push(params.symbol, data.bid))
  broker.respond('square', ({ data }) => data ** 2)
  broker.emit(Price, { bid: 187.2 }, { params: { symbol: 'AAPL' } })
  const answer = await broker.request('square', 7)

  const orders = await broker.stream('orders', { topics: ['order.>'] })
  const sequences = []
  for (const id of [1, 2]) {
    const { sequence } = await broker.publish('order.placed', id)
    sequences.push(sequence)
  }
  const handled = []
  let finish
  const finished = new Promise((resolve) => (finish = resolve))
  const handler = ({ data, deliveryCount }) => {
    handled.push(data)
    if (data === 2 && deliveryCount === 1) throw new Error('on purpose')
    if (data === 2) finish()
  }
  await broker.consume('billing', 'order.placed', handler, { retry: { backoff: 10 } })
  await finished
  const read = []
  for await (const { data } of orders.read()) read.push(data)
  const code = await broker.publish('nowhere', 1).catch((error) => error.code)
  await broker.close()
  return { live, answer, sequences, handled, read, code }
}
