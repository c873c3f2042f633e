// JetStream over the wire, as fast as a generator can be: publishes with a reply topic whose acknowledgements are counted; a pull
// consumer whose messages are acknowledged one by one; an ordered read without acknowledgements.
import { performance } from 'node:perf_hooks'
import { consumeInWindow } from '../consume-window.mjs'
import { callJetStream, openNats, receiveMessages } from '../nats-wire.mjs'
import { makeFrameSender } from '../wire-frames.mjs'

const stream = 'bench'
const inbox = '_INBOX.bench'
const acknowledgement = ' 4\r\n+ACK\r\n'

export async function open({ port, topic, payloadBytes }) {
  await createStream(port, topic)
  const connection = await openNats(port)
  connection.socket.write(`SUB ${inbox} 1\r\n`)
  const frame = Buffer.concat([
    Buffer.from(`PUB ${topic} ${inbox} ${payloadBytes}\r\n`),
    Buffer.alloc(payloadBytes, 'x'),
    Buffer.from('\r\n'),
  ])
  return {
    makePublisher(settled, failed) {
      receiveAcknowledgements(connection, { settled, failed })
      return makeFrameSender(connection.socket, frame)
    },
    consume: (terms) => consume(port, terms),
    replay: (terms) => replay(port, terms),
    async close() {
      connection.socket.destroy()
      await callJetStream(port, `STREAM.DELETE.${stream}`)
    },
  }
}

export function createStream(port, topic) {
  return callJetStream(port, `STREAM.CREATE.${stream}`, {
    name: stream,
    subjects: [topic],
    storage: 'file',
    num_replicas: 1,
  })
}

/** `{"stream":"bench","seq":1}`, or `{"error":…}`: the third byte tells them apart. */
function receiveAcknowledgements(connection, { settled, failed }) {
  let count = 0
  let isTellingDue = false
  const tell = () => {
    isTellingDue = false
    const settledCount = count
    count = 0
    settled(settledCount)
  }
  receiveMessages(connection, {
    failed,
    onMessage(bytes, _headStart, _headEnd, bodyStart, bodyEnd) {
      if (bytes[bodyStart + 2] === 0x65) throw new Error(bytes.latin1Slice(bodyStart, bodyEnd))
      count += 1
      if (isTellingDue) return
      isTellingDue = true
      process.nextTick(tell)
    },
  })
}

async function consume(port, { inFlight, count, durationMs }) {
  const connection = await openNats(port)
  const { socket } = connection
  await callJetStream(port, `CONSUMER.DURABLE.CREATE.${stream}.one`, {
    stream_name: stream,
    config: { durable_name: 'one', ack_policy: 'explicit', max_ack_pending: inFlight },
  })
  const consumed = await consumeInWindow({ count, durationMs }, (took) => {
    let askedFor = 0
    let acknowledgements = []
    const ask = () => {
      const missing = inFlight - askedFor
      if (missing < Math.ceil(inFlight / 2)) return
      askedFor += missing
      const body = JSON.stringify({ batch: missing })
      const call = `$JS.API.CONSUMER.MSG.NEXT.${stream}.one`
      acknowledgements.push(`PUB ${call} ${inbox} ${body.length}\r\n${body}\r\n`)
    }
    const flush = () => {
      if (took.isOver) acknowledgements.push('PING\r\n')
      else ask()
      socket.write(acknowledgements.join(''))
      acknowledgements = []
    }
    receiveMessages(connection, {
      failed: took.fail,
      onPong: () => took.finish(),
      onMessage(bytes, headStart, headEnd) {
        if (took.isOver) return
        took.next()
        askedFor -= 1
        const reply = bytes.latin1Slice(headStart, headEnd).split(' ', 4)[3]
        if (acknowledgements.length === 0) process.nextTick(flush)
        acknowledgements.push(`PUB ${reply}${acknowledgement}`)
      },
    })
    socket.write(`SUB ${inbox} 1\r\n`)
    ask()
    flush()
  })
  socket.destroy()
  await callJetStream(port, `CONSUMER.DELETE.${stream}.one`)
  return consumed
}

async function replay(port, { count }) {
  const connection = await openNats(port)
  const startedAtMs = performance.now()
  let messages = 0
  try {
    await new Promise((resolve, reject) => {
      receiveMessages(connection, {
        failed: reject,
        onMessage() {
          messages += 1
          if (messages === count) resolve()
        },
      })
      connection.socket.write(`SUB ${inbox} 1\r\n`)
      callJetStream(port, `CONSUMER.CREATE.${stream}`, {
        stream_name: stream,
        config: { deliver_subject: inbox, ack_policy: 'none', deliver_policy: 'all' },
      }).catch(reject)
    })
  } finally {
    connection.socket.destroy()
  }
  return { messages, elapsedMs: performance.now() - startedAtMs }
}
