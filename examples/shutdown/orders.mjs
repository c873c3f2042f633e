// What the three apps do: an order is stored before its request is answered, and billed by a consumer.
import { setTimeout as pause } from 'node:timers/promises'
import { openBroker } from 'fanfare'

export async function openOrders() {
  const directory = process.env.DATA
  const broker = await openBroker(directory === undefined ? {} : { directory })
  await broker.stream('orders', { topics: ['order.>'] })
  await broker.consume('billing', 'order.placed', async ({ data, signal }) => {
    console.log(`billing ${data.id}`)
    await pause(300, undefined, { signal })
    console.log(`billed ${data.id}`)
  })
  const place = async (order) => {
    console.log(`placing ${order.id}`)
    await pause(300)
    const { sequence } = await broker.publish('order.placed', order)
    return { sequence }
  }
  return { broker, place }
}
