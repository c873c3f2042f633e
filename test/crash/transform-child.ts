// A process that transforms until it is killed: publishes the inputs of its life, and makes outputs of what it is handed. It waits
// for one line that says where, so that it can be started before it is needed.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { SeededRandom } from '../../src/base/index.js'
import { openEmbeddedEngine } from '../../src/embedded/index.js'
import { Transform } from './transform.js'

const REPORT = 3

export interface TransformOrder {
  readonly directory: string
  readonly seed: number
  readonly first: number
  readonly count: number
  readonly segmentBytes: number
  readonly checkpointBytes: number
}

function tell(text: string): void {
  writeSync(REPORT, `${text}\n`)
}

async function live({ directory, seed, first, count, ...sizes }: TransformOrder): Promise<void> {
  const engine = await openEmbeddedEngine({ directory, ...sizes })
  const durable = await engine.openDurable()
  const random = new SeededRandom(seed)
  const later = (work: () => void): void => {
    if (random.nextUint32() % 2 === 0) setImmediate(work)
    else setTimeout(work, random.nextUint32() % 3)
  }
  const transform = new Transform({ engine, durable, random, later })
  await transform.open()
  transform.begin()
  tell('working')
  await transform.feed(first, count, (error) => tell(`refused: ${error.message}`))
  tell('fed')
}

process.on('uncaughtException', (error) => {
  tell(`failed: ${error.stack}`)
  process.exit(1)
})
const input = createInterface(process.stdin)
input.once('line', (line) => void live(JSON.parse(line) as TransformOrder))
input.once('close', () => process.exit(0))
