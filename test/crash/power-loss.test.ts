// On a disk in memory that loses, tears, fails and fills up, by the seed, every promise holds. FANFARE_CRASH_SEED runs one seed
// again, FANFARE_CRASH_SEEDS that many, FANFARE_CRASH_DIARY names a file for all that led to a failure.
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'vitest'
import type { Entry } from './diary.js'
import { PowerRun, type PowerRunOptions } from './power-run.js'

const only = process.env['FANFARE_CRASH_SEED']
const count = Number(process.env['FANFARE_CRASH_SEEDS'] ?? 20)
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)]

const troubles: readonly PowerRunOptions['trouble'][] = ['none', 'failures', 'full']

describe.each(troubles)('an engine on a disk that stands still, with trouble: %s', (trouble) => {
  it('keeps what it promised', { timeout: 3_600_000 }, async () => {
    for (const seed of seeds) {
      const run = new PowerRun({ seed, lives: 6, turns: 60, trouble })
      try {
        await run.run()
      } catch (error) {
        await keepDiary(run.entries)
        throw error
      }
    }
  })
})

async function keepDiary(entries: readonly Entry[]): Promise<void> {
  const path = process.env['FANFARE_CRASH_DIARY']
  if (path === undefined) return
  await writeFile(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
}
