// A client connection that reads into one buffer for the whole process, so that receiving costs a
// generator as little as Node allows: the bytes are valid only until the receiver returns.
import { once } from 'node:events'
import { connect } from 'node:net'

const answerTimeoutMs = 10_000

const sharedBuffer = Buffer.allocUnsafe(256 * 1024)

export async function openConnection({ port }) {
  const connection = { text: '', onText: () => {}, receiveUntil }
  connection.receive = (byteCount, bytes) => {
    connection.text += bytes.toString('latin1', 0, byteCount)
    connection.onText()
  }
  connection.socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: {
      buffer: sharedBuffer,
      callback: (byteCount, bytes) => {
        connection.receive(byteCount, bytes)
        return true
      },
    },
  })
  connection.closed = new Promise((resolve) => {
    let reason = 'the server closed the connection'
    connection.socket.on('error', (error) => (reason = error.message))
    connection.socket.on('close', () => resolve(reason))
  })
  await once(connection.socket, 'connect')
  return connection
}

/**
 * Gathers what arrives until it satisfies the question; for greetings, never for the load. What
 * arrived before the question counts, as some servers speak first.
 */
function receiveUntil(isEnough) {
  return new Promise((resolve, reject) => {
    this.closed.then((reason) => reject(new Error(reason)))
    const giveUp = () => reject(new Error(`no answer from the server in ${answerTimeoutMs} ms`))
    const timeout = setTimeout(giveUp, answerTimeoutMs)
    this.onText = () => {
      if (!isEnough(this.text)) return
      clearTimeout(timeout)
      resolve(this.text)
      this.text = ''
      this.onText = () => {}
    }
    this.onText()
  })
}
