// BullMQ: jobs instead of messages, each kept by Redis until a worker has done it. It has no replay.
import { Queue, Worker } from 'bullmq'
import { consumeInWindow } from '../consume-window.mjs'
import { sendingPromises } from '../window.mjs'

// A worker that may do more at a time fetches so many jobs one by one before it finishes the first.
const mostAtATime = 100

export async function open({ port, payloadBytes }) {
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  const data = { text: 'x'.repeat(payloadBytes - '{"text":""}'.length) }
  await queue.waitUntilReady()
  return {
    makePublisher: sendingPromises(() => queue.add('job', data, { removeOnComplete: true })),
    consume: (terms) => consume(connection, terms),
    async close() {
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}

async function consume(connection, { inFlight, count, durationMs }) {
  let worker
  const consumed = await consumeInWindow({ count, durationMs }, (took) => {
    let isLastTaken = false
    worker = new Worker('bench', async () => {}, {
      connection,
      concurrency: Math.min(inFlight, mostAtATime),
    })
    worker.on('completed', () => {
      if (isLastTaken) return
      isLastTaken = took.next()
      if (isLastTaken) took.finish()
    })
    worker.on('error', took.fail)
  })
  await worker.close(true)
  return consumed
}
