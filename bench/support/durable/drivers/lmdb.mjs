// LMDB as a log of one's own: messages under ascending numbers, and the consumer's place under a key, each promise kept when
// its transaction is synced.
import { performance } from 'node:perf_hooks'
import { join } from 'node:path'
import { open as openLmdb } from 'lmdb'
import { consumeInWindow } from '../consume-window.mjs'
import { sendingPromises } from '../window.mjs'

export async function open({ directory, payloadBytes }) {
  // Without `overlappingSync: false` a promise is kept before the sync.
  const root = openLmdb({ path: join(directory, 'lmdb'), overlappingSync: false, maxDbs: 2 })
  const messages = root.openDB('messages', { encoding: 'binary', keyEncoding: 'uint32' })
  const places = root.openDB('places', { encoding: 'binary' })
  const body = Buffer.alloc(payloadBytes, 'x')
  let sequence = 0
  return {
    makePublisher: sendingPromises(() => messages.put((sequence += 1), body)),
    consume: (terms) => consume({ messages, places }, terms),
    replay: () => replay(messages),
    close: () => root.close(),
  }
}

/** As many as may be in flight are read, then the place is stored once. */
function consume({ messages, places }, { inFlight, count, durationMs }) {
  return consumeInWindow({ count, durationMs }, async (took) => {
    const place = Buffer.alloc(4)
    let next = 1
    while (!took.isOver) {
      for (const { key } of messages.getRange({ start: next, limit: inFlight })) {
        next = key + 1
        if (took.next()) break
      }
      place.writeUInt32LE(next)
      await places.put('bench', place)
    }
    took.finish()
  })
}

function replay(messages) {
  const startedAtMs = performance.now()
  let count = 0
  for (const { value } of messages.getRange()) if (value.length > 0) count += 1
  return { messages: count, elapsedMs: performance.now() - startedAtMs }
}
