// Counts what a consumer takes until all is taken or the time is up; the last message's acknowledgement is waited for.
import { performance } from 'node:perf_hooks'

const messagesBetweenLooks = 16

/**
 * `begin(took)` starts the consumer. It calls `took.next()` for each message, which answers whether this is the last one; then
 * `took.finish()` when that is acknowledged. Whatever arrives after the last one is not counted.
 */
export function consumeInWindow({ count, durationMs }, begin) {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now()
    let messages = 0
    let isOver = false
    const took = {
      next() {
        if (isOver) return false
        messages += 1
        const isLookDue = messages % messagesBetweenLooks === 0 || durationMs <= 0
        isOver = messages >= count || (isLookDue && performance.now() - startedAtMs >= durationMs)
        return isOver
      },
      get isOver() {
        return isOver
      },
      finish: (error) => {
        if (error) reject(error)
        else resolve({ messages, elapsedMs: performance.now() - startedAtMs })
      },
      fail: (reason) => reject(reason instanceof Error ? reason : new Error(String(reason))),
    }
    Promise.resolve(begin(took)).catch(reject)
  })
}
