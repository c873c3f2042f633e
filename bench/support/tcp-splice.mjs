// The upper bound: a server that understands nothing and copies each publisher's bytes to every
// subscriber. A peer that also parses and matches can hardly be faster by this road.
import { createServer } from 'node:net'

const bufferBytes = 256 * 1024
const subscribers = new Set()
const publishers = new Set()

function start(socket) {
  const role = { hasBegun: false, isPublisher: false }
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    subscribers.delete(socket)
    publishers.delete(socket)
    resumePublishers()
  })
  return role
}

function resumePublishers() {
  for (const subscriber of subscribers) if (subscriber.writableNeedDrain) return
  for (const publisher of publishers) publisher.resume()
}

const server = createServer({ noDelay: true, highWaterMark: bufferBytes }, (socket) => {
  const role = start(socket)
  socket.on('drain', resumePublishers)
  socket.on('data', (bytes) => {
    if (!role.hasBegun) {
      role.hasBegun = true
      const isPublisher = bytes[0] === 'P'.charCodeAt(0)
      if (isPublisher) publishers.add(socket)
      else subscribers.add(socket)
      socket.write('+')
      return
    }
    let isFull = false
    for (const subscriber of subscribers) if (!subscriber.write(bytes)) isFull = true
    if (isFull) for (const publisher of publishers) publisher.pause()
  })
})
server.listen(Number(process.argv[2]), '127.0.0.1')
process.on('SIGTERM', () => process.exit())
