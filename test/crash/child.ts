// A process that lives until it is killed: opens a directory, tells what it finds, and works on it. It waits for one line that
// says where, so that it can be started, with all modules loaded, before it is needed.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import { SeededRandom } from '../../src/base/index.js'
import { openEmbeddedEngine } from '../../src/embedded/index.js'
import type { Diary, Entry } from './diary.js'
import { isDamage } from './findings.js'
import { takeInventory } from './inventory.js'
import { Load } from './load.js'

export interface ChildOrder {
  readonly directory: string
  readonly life: number
  readonly seed: number
  readonly segmentBytes: number
  readonly checkpointBytes: number
}

/** The pipe to the parent. A write has left this process when it returns, so a kill cannot take it back. */
const REPORT = 3

class PipeDiary implements Diary {
  #lines = ''

  write(entry: Entry): void {
    this.#lines += `${JSON.stringify(entry)}\n`
  }

  flush(): void {
    const bytes = Buffer.from(this.#lines)
    this.#lines = ''
    for (let sent = 0; sent < bytes.length;) sent += writeSync(REPORT, bytes, sent)
  }
}

async function live({ directory, life, seed, ...sizes }: ChildOrder): Promise<void> {
  const diary = new PipeDiary()
  const engine = await openEmbeddedEngine({ directory, ...sizes })
  const durable = await engine.openDurable()
  for (const finding of durable.store.findings.filter(isDamage)) {
    diary.write({ kind: 'finding', text: JSON.stringify(finding) })
  }
  await takeInventory(durable, diary)
  const load = new Load({
    engine,
    durable,
    random: new SeededRandom(seed),
    diary,
    life,
    nowMs: () => Date.now(),
    turn: () => turn(),
    isOver: () => false,
  })
  await load.begin()
  await load.run()
}

process.on('uncaughtException', (error) => {
  writeSync(REPORT, `${JSON.stringify({ kind: 'fault', text: String(error.stack) })}\n`)
  process.exit(1)
})
const input = createInterface(process.stdin)
input.once('line', (line) => void live(JSON.parse(line) as ChildOrder))
input.once('close', () => process.exit(0))
