// Seeds of the simulation: FANFARE_SEED runs one again, FANFARE_SEEDS that many.
import { describe, it } from 'vitest'
import { StoreSimulation } from './store-simulation.js'

const only = process.env['FANFARE_SEED']
const count = Number(process.env['FANFARE_SEEDS'] ?? 60)
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)]

describe.each([
  { name: 'power losses and kills', withFaults: false, withFullDisk: false },
  { name: 'a disk that fills up', withFaults: false, withFullDisk: true },
  { name: 'a disk that fails', withFaults: true, withFullDisk: false },
])('a store under $name', (options) => {
  it('keeps its promises', { timeout: 600_000 }, async () => {
    for (const seed of seeds) {
      try {
        await new StoreSimulation(seed, options).run(5, 40)
      } catch (error) {
        throw new Error(`FANFARE_SEED=${seed}: ${String(error)}`, { cause: error })
      }
    }
  })
})
