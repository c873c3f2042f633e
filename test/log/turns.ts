// Lets a store on a disk in memory and a virtual clock go on until a promise settles.
import type { VirtualClock } from '../../src/base/index.js'

/** More turns than anything takes that does not hang. */
const MOST_TURNS = 200_000

/** Runs what is deferred, again and again, until `work` settles. */
export async function turn<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  work.then(settle, settle)
  for (let turns = 0; !isSettled; turns++) {
    if (turns === MOST_TURNS) throw new Error('hangs')
    clock.runDeferred()
    await Promise.resolve()
  }
  return work
}
