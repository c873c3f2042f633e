// A Fastify app with a broker: at SIGTERM it takes no more requests, finishes those under way, and closes the broker.
//
//   PORT=3000 DATA=./data node examples/shutdown/fastify.mjs
import fastify from 'fastify'
import { openOrders } from './orders.mjs'

const { broker, place } = await openOrders()
const app = fastify()
app.post('/orders', async (request) => place(request.body))
// These hooks run when the last request has been answered.
app.addHook('onClose', () => broker.close({ drain: '10s' }))

const port = Number(process.env.PORT ?? 3000)
await app.listen({ host: '127.0.0.1', port })
console.log(`listening on ${app.server.address().port}`)

process.once('SIGTERM', () => void app.close())
