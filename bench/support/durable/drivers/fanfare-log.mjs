// Fanfare's log alone: keys and bodies in, committed ranges out; no topics, no receipts, no consumers.
import { performance } from 'node:perf_hooks'
import { systemClock } from '../../../../dist/base/index.js'
import { openSystemDisk } from '../../../../dist/base/disk/index.js'
import { openFileLogStore } from '../../../../dist/log/index.js'

export async function open({ directory, topic, payloadBytes }) {
  const store = await openFileLogStore(await openSystemDisk(directory), systemClock)
  const log = await store.create('bench', { durability: 'fsync' })
  const key = Buffer.from(topic)
  const body = Buffer.alloc(payloadBytes, 'x')
  let heard = { committed: () => {}, failed: () => {} }
  log.listen({
    committed: (throughSequence) => heard.committed(throughSequence),
    failed: (_, error) => heard.failed(error),
  })
  return {
    makePublisher(settled, failed) {
      let settledThrough = log.state.lastSequence
      heard = {
        failed,
        committed(throughSequence) {
          const count = throughSequence - settledThrough
          settledThrough = throughSequence
          settled(count)
        },
      }
      return (count) => {
        const nowMs = Date.now()
        for (let sent = 0; sent < count; sent += 1)
          log.append(nowMs, 0, key, body, 0, 0, 0, body.length)
      }
    },
    replay: () => replay(log),
    close: () => store.close(),
  }
}

async function replay(log) {
  const startedAtMs = performance.now()
  const cursor = log.cursor(1)
  let messages = 0
  for (;;) {
    const found = cursor.next()
    if (found === 'end') break
    if (found === 'wait') await cursor.loaded()
    else messages += 1
  }
  cursor.close()
  return { messages, elapsedMs: performance.now() - startedAtMs }
}
