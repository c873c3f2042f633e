// Runs an engine on a disk that may stand still at any call: what waits for it then waits for ever, and the run goes on without.
import { FaultDisk } from '../../src/base/faults/index.js'
import { openEngineOnDisk } from '../../src/embedded/index.js'
import { Violation } from './violation.js'

const MOST_TURNS = 3_000

/** The result of `work`, or undefined when the machine stands still before; `turn` makes time pass meanwhile. */
export async function unlessHalted<T>(
  disk: FaultDisk,
  work: Promise<T>,
  turn: () => Promise<void>,
): Promise<T | undefined> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined
  work.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  )
  for (let turns = 0; outcome === undefined && !disk.isHalted; turns++) {
    if (turns > MOST_TURNS) throw new Violation('it hangs')
    await turn()
  }
  await nextTurn()
  if (outcome === undefined) return undefined
  if ('value' in outcome) return outcome.value
  throw outcome.error
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What an engine loads when it first needs it takes real time, which must not pass in the middle of a run. */
export async function loadModules(): Promise<void> {
  const engine = await openEngineOnDisk(new FaultDisk())
  await engine.openDurable()
  await engine.close()
}
