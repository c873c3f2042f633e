// A process that is killed at any moment, and started again, keeps every promise. Needs the built package, which the children run.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileChildPrograms, type ChildPrograms } from './child-program.js'
import { CrashRun } from './crash-run.js'
import { amountOf, runSeeds } from './extent.js'

const kills = amountOf('process', 200)
const KILLS_PER_DIRECTORY = 20
const AT_A_TIME = 4

let programs: ChildPrograms
beforeAll(async () => {
  programs = await compileChildPrograms()
})
afterAll(() => programs.remove())

describe('a process that is killed', () => {
  it('keeps what it promised', { timeout: 3_600_000 }, async () => {
    let promised = 0
    const extent = {
      count: Math.ceil(kills / KILLS_PER_DIRECTORY),
      amount: KILLS_PER_DIRECTORY,
      atATime: AT_A_TIME,
    }
    await runSeeds('process', extent, async (seed, index) => {
      const run = new CrashRun({
        seed,
        kills: Math.min(KILLS_PER_DIRECTORY, kills - index * KILLS_PER_DIRECTORY),
        program: programs.pathOf('child'),
      })
      await run.run()
      promised += run.counts.promised
    })
    expect(promised).toBeGreaterThan(kills)
  })
})
