// On a disk in memory that loses, tears, fails and fills up, by the seed, every promise holds.
import { describe, it } from 'vitest'
import { amountOf, keepEntries, runSeeds } from './extent.js'
import { PowerRun, type PowerRunOptions } from './power-run.js'

const count = amountOf('power', 20)
const troubles: readonly PowerRunOptions['trouble'][] = ['none', 'failures', 'full']

describe.each(troubles)('an engine on a disk that stands still, with trouble: %s', (trouble) => {
  it('keeps what it promised', { timeout: 3_600_000 }, () =>
    runSeeds('power', { count }, async (seed) => {
      const run = new PowerRun({ seed, lives: 6, turns: 60, trouble })
      try {
        await run.run()
      } catch (error) {
        await keepEntries(`power-${trouble}-${seed}`, run.entries)
        throw error
      }
    }),
  )
})
