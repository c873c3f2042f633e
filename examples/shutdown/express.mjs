// An Express app with a broker: at SIGTERM it takes no more requests, finishes those under way, and closes the broker.
//
//   PORT=3000 DATA=./data node examples/shutdown/express.mjs
import express from 'express'
import { openOrders } from './orders.mjs'

const { broker, place } = await openOrders()
const app = express()
app.use(express.json())
app.post('/orders', async (request, response) => response.json(await place(request.body)))

const port = Number(process.env.PORT ?? 3000)
const server = app.listen(port, '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`)
})

process.once('SIGTERM', async () => {
  await new Promise((resolve) => server.close(resolve))
  await broker.close({ drain: '10s' })
})
