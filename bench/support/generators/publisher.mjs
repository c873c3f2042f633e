// The publishing process: writes a prebuilt batch of frames over and over, paced by nothing but the
// socket's back-pressure.
import { setImmediate } from 'node:timers'
import { getProtocol } from '../protocols/index.mjs'
import { openConnection } from './connection.mjs'
import { serveCalls } from './worker.mjs'

// Large enough that a write costs nothing beside its copy into the kernel, small enough to stay in
// the second-level cache.
const batchBytes = 128 * 1024

let connections = []
let batch
let frameBytes

async function open({ protocolName, port, publisherCount, topic, payloadBytes }) {
  const protocol = getProtocol(protocolName)
  const frame = protocol.encodePublish(topic, Buffer.alloc(payloadBytes, 'x'))
  frameBytes = frame.length
  batch = Buffer.alloc(Math.max(1, Math.floor(batchBytes / frameBytes)) * frameBytes, frame)
  connections = await Promise.all(
    Array.from({ length: publisherCount }, () => openConnection({ port })),
  )
  await Promise.all(connections.map((connection) => protocol.greetAsPublisher(connection)))
}

/** Resolves with how many messages the kernel took; fewer than asked for when a server cut us off. */
async function publish({ countForEach }) {
  const taken = await Promise.all(
    connections.map((connection) => publishOver(connection, countForEach)),
  )
  return taken.reduce((sum, count) => sum + count, 0)
}

function publishOver(connection, count) {
  const totalBytes = count * frameBytes
  let writtenBytes = 0
  return new Promise((resolve) => {
    const finish = () => resolve(Math.floor(writtenBytes / frameBytes))
    connection.closed.then(finish)
    const writeNext = () => {
      if (writtenBytes === totalBytes) return finish()
      const chunk = batch.subarray(0, Math.min(batch.length, totalBytes - writtenBytes))
      connection.socket.write(chunk, (error) => {
        if (error) return
        writtenBytes += chunk.length
        // Through the event loop, so that a socket that never blocks does not starve the others.
        setImmediate(writeNext)
      })
    }
    writeNext()
  })
}

function close() {
  for (const connection of connections) connection.socket.destroy()
  connections = []
}

serveCalls({ open, publish, close })
