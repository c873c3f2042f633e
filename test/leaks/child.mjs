// Measures every program in a process of its own, and one that leaks on purpose, so that it is known that a leak is seen.
import { setMaxListeners } from 'node:events'
import { countTimers, measure } from './measure.mjs'

countTimers()
const { openPlace, programsOf } = await import('./programs.mjs')
const place = await openPlace()
setMaxListeners(Infinity, place.lasting)
const chosen = process.argv[2]

const kept = []
const leaking = {
  name: 'leaks on purpose',
  cycles: 5_000,
  run: (cycles) => {
    for (let n = 0; n < cycles; n++) {
      const subscription = place.live.subscribe('leak', () => {}, { signal: place.lasting })
      kept.push(subscription)
    }
    kept.push(setTimeout(() => {}, 1e9).unref())
  },
}

for (const program of [...programsOf(place), leaking]) {
  if (chosen !== undefined && program.name !== chosen) continue
  const startedAt = performance.now()
  const found = await measure(program, place)
  console.log(JSON.stringify({ ...found, ms: Math.round(performance.now() - startedAt) }))
}
process.exit(0)
