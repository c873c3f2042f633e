// A process that is killed at any moment, and started again, keeps every promise. FANFARE_CRASH_SEED chooses the first seed,
// FANFARE_CRASH_KILLS how many kills there are over all directories. Needs the built package, which the children run.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileChildPrograms, type ChildPrograms } from './child-program.js'
import { CrashRun } from './crash-run.js'

const firstSeed = Number(process.env['FANFARE_CRASH_SEED'] ?? 1)
const kills = Number(process.env['FANFARE_CRASH_KILLS'] ?? 200)
const KILLS_PER_DIRECTORY = 20
const AT_A_TIME = 3

let programs: ChildPrograms
beforeAll(async () => {
  programs = await compileChildPrograms()
})
afterAll(() => programs.remove())

describe('a process that is killed', () => {
  it('keeps what it promised', { timeout: 3_600_000 }, async () => {
    const runs = Array.from(
      { length: Math.ceil(kills / KILLS_PER_DIRECTORY) },
      (_, i) =>
        new CrashRun({
          seed: firstSeed + i,
          kills: Math.min(KILLS_PER_DIRECTORY, kills - i * KILLS_PER_DIRECTORY),
          program: programs.pathOf('child'),
          keepDirectory: process.env['FANFARE_CRASH_KEEP'] !== undefined,
        }),
    )
    const waiting = [...runs]
    const work = async (): Promise<void> => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) await run.run()
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, work))
    const promised = runs.reduce((sum, { counts }) => sum + counts.promised, 0)
    expect(promised).toBeGreaterThan(kills)
  })
})
