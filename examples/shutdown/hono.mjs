// A Hono app with a broker: at SIGTERM it takes no more requests, finishes those under way, and closes the broker.
//
//   PORT=3000 DATA=./data node examples/shutdown/hono.mjs
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { openOrders } from './orders.mjs'

const { broker, place } = await openOrders()
const app = new Hono()
app.post('/orders', async (context) => context.json(await place(await context.req.json())))

const port = Number(process.env.PORT ?? 3000)
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (address) => {
  console.log(`listening on ${address.port}`)
})

process.once('SIGTERM', async () => {
  await new Promise((resolve) => server.close(resolve))
  await broker.close({ drain: '10s' })
})
