// The floor below all peers: a server in Node that understands nothing and copies each publisher's
// bytes to every subscriber. What it costs is what sockets and the kernel cost a single thread.
import { Socket, createServer } from 'node:net'

// Reading into reused buffers of this size, measured with 16 KiB frames, is 1.3 to 1.7 times as
// fast as the 64 KiB that Node allocates anew for each 'data' event.
const bufferBytes = 256 * 1024

const idleBuffers = []
const subscribers = new Set()
const publishers = new Set()

function resumePublishers() {
  for (const subscriber of subscribers) if (subscriber.writableNeedDrain) return
  for (const publisher of publishers) publisher.resume()
}

function copyToSubscribers(buffer, byteCount) {
  const bytes = buffer.subarray(0, byteCount)
  let pendingCount = subscribers.size
  let isFull = false
  const release = () => {
    pendingCount -= 1
    if (pendingCount === 0) idleBuffers.push(buffer)
  }
  for (const subscriber of subscribers) if (!subscriber.write(bytes, release)) isFull = true
  if (isFull) for (const publisher of publishers) publisher.pause()
}

function accept(handle) {
  let hasBegun = false
  let buffer
  const socket = new Socket({
    handle,
    onread: {
      buffer: () => (buffer = idleBuffers.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)),
      callback: (byteCount) => {
        if (hasBegun) {
          copyToSubscribers(buffer, byteCount)
          return true
        }
        // The first byte tells a publisher from a subscriber; the answer says that it was heard.
        hasBegun = true
        if (buffer[0] === 'P'.charCodeAt(0)) publishers.add(socket)
        else subscribers.add(socket)
        socket.write('+')
        return true
      },
    },
  })
  socket.setNoDelay(true)
  socket.on('drain', resumePublishers)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    subscribers.delete(socket)
    publishers.delete(socket)
    resumePublishers()
  })
  socket.resume()
}

// `onread` is only for sockets that connect, so an accepted socket gives its handle to a new one.
const server = createServer({ pauseOnConnect: true }, (accepted) => {
  const handle = accepted._handle
  accepted._handle = null
  accept(handle)
})
server.listen(Number(process.argv[2]), '127.0.0.1')
process.on('SIGTERM', () => process.exit())
