// How much a suite of crashes runs, and how it tells what failed. The environment says more than the few that every run of the tests
// can afford: FANFARE_CRASH_SEED is the first seed of each suite, the variables below its amount. FANFARE_CRASH_KEEP names a
// directory for what led to a failure. `npm run crash` sets them.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const VARIABLES = {
  /** Kills of a process with a mixed load. */
  process: 'FANFARE_CRASH_PROCESS',
  /** Kills of a process that transforms exactly once. */
  once: 'FANFARE_CRASH_ONCE',
  /** Seeds for each trouble of a disk that stands still. */
  power: 'FANFARE_CRASH_POWER',
  /** Bits turned over. */
  flips: 'FANFARE_CRASH_FLIPS',
  /** Seeds of order by key. */
  keys: 'FANFARE_CRASH_KEYS',
} as const

export type CrashSuite = keyof typeof VARIABLES

/** Failures that are told in full; a mistake in the product tends to fail many seeds. */
const MOST_TOLD = 5

export const firstSeed = Number(process.env['FANFARE_CRASH_SEED'] ?? 1)
export const keepDirectory = process.env['FANFARE_CRASH_KEEP']

export function amountOf(suite: CrashSuite, unlessSaid: number): number {
  return Number(process.env[VARIABLES[suite]] ?? unlessSaid)
}

/**
 * Runs `count` seeds, `atATime` of them beside each other. In the end it throws what failed, each with the words that run it again;
 * `amount` is what the suite's variable must be for that one seed.
 */
export async function runSeeds(
  suite: CrashSuite,
  { count, amount = 1, atATime = 1 }: { count: number; amount?: number; atATime?: number },
  run: (seed: number, index: number) => Promise<void>,
): Promise<void> {
  const failures: { readonly text: string; readonly cause: unknown }[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const seed = firstSeed + index
      await run(seed, index).catch((cause: unknown) => {
        const again = `FANFARE_CRASH_SEED=${seed} ${VARIABLES[suite]}=${amount}`
        failures.push({ text: `${again}: ${String(cause)}`, cause })
      })
    }
  }
  await Promise.all(Array.from({ length: atATime }, work))
  if (failures.length === 0) return
  const told = failures.slice(0, MOST_TOLD).map(({ text }) => text)
  throw new Error(`${failures.length} of ${count} seeds failed:\n${told.join('\n')}`, {
    cause: failures[0]!.cause,
  })
}

/** Writes what led to a failure, one line for each entry, where the environment says; returns where. */
export async function keepEntries(
  name: string,
  entries: readonly object[],
): Promise<string | undefined> {
  if (keepDirectory === undefined) return undefined
  await mkdir(keepDirectory, { recursive: true })
  const path = join(keepDirectory, `${name}.jsonl`)
  await writeFile(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  return path
}
