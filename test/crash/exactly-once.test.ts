// Exactly-once processing under kills: each directory is killed many times in the middle of consume, transform, publish, and in the
// end the output holds every input exactly once, the messages of each key in order. Needs the built package.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/base/index.js'
import { openEmbeddedEngine } from '../../src/embedded/index.js'
import { compileChildPrograms, type ChildPrograms } from './child-program.js'
import { CrashChild } from './child-process.js'
import { amountOf, runSeeds } from './extent.js'
import { auditTransform, Transform } from './transform.js'

const kills = amountOf('once', 200)
const KILLS_PER_DIRECTORY = 50
const AT_A_TIME = 4
const INPUTS_PER_LIFE = 40
const SIZES = { segmentBytes: 16_384, checkpointBytes: 65_536 }
const LONGEST_LIFE_MS = 40
const DRAIN_MS = 20_000

let programs: ChildPrograms
beforeAll(async () => {
  programs = await compileChildPrograms()
})
afterAll(() => programs.remove())

class ExactlyOnceRun {
  readonly #random: SeededRandom
  readonly #kills: number
  /** Inputs of which it is known that all of them were published. */
  #fed = 0
  #next: CrashChild | undefined
  #heard: (line: string) => void = () => {}

  constructor(seed: number, runKills: number) {
    this.#random = new SeededRandom(Math.imul(seed, 0x9e37_79b1) ^ 0x51ed_270b)
    this.#kills = runKills
    for (let i = 0; i < 8; i++) this.#random.nextUint32()
  }

  async run(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'fanfare-once-'))
    try {
      for (let life = 0; life < this.#kills; life++) await this.#live(directory, life)
      await this.#finish(directory)
    } finally {
      await this.#next?.kill()
      await rm(directory, { recursive: true })
    }
  }

  async #live(directory: string, life: number): Promise<void> {
    const child = this.#next ?? this.#start()
    const first = this.#fed + 1
    const failures: string[] = []
    let isFed = false
    await new Promise<void>((resolve) => {
      this.#heard = (line) => {
        if (line === 'working') {
          void pause(this.#random.nextUint32() % LONGEST_LIFE_MS).then(resolve)
        } else if (line === 'fed') isFed = true
        else failures.push(line)
      }
      const seed = this.#random.nextUint32()
      child.order({ directory, seed, first, count: INPUTS_PER_LIFE, ...SIZES })
      void child.ended().then(resolve)
    })
    const killed = child.kill()
    this.#next = life + 1 < this.#kills ? this.#start() : undefined
    await killed
    expect([...failures, child.errors].join('')).toBe('')
    // What was not told to be published is published again by the next life, under the same ids.
    if (isFed) this.#fed += INPUTS_PER_LIFE
  }

  #start(): CrashChild {
    return new CrashChild(programs.pathOf('transform-child'), (line) => this.#heard(line))
  }

  async #finish(directory: string): Promise<void> {
    const engine = await openEmbeddedEngine({ directory, ...SIZES })
    const durable = await engine.openDurable()
    const random = this.#random
    const transform = new Transform({ engine, durable, random, later: setImmediate })
    await transform.open()
    transform.begin()
    await transform.feed(this.#fed + 1, INPUTS_PER_LIFE, (error) => {
      throw error
    })
    const inputs = this.#fed + INPUTS_PER_LIFE
    const isDone = async (): Promise<boolean> =>
      (await transform.output.state()).messages >= inputs &&
      (await transform.consumer.info()).floorSequence >=
        (await transform.input.state()).lastSequence
    for (let waited = 0; waited < DRAIN_MS && !(await isDone()); waited += 5) await pause(5)
    await auditTransform(transform, inputs)
    await engine.close()
  }
}

describe('exactly-once processing that is killed', () => {
  it('makes one output of every input, in order of its key', { timeout: 3_600_000 }, async () => {
    const extent = {
      count: Math.ceil(kills / KILLS_PER_DIRECTORY),
      amount: KILLS_PER_DIRECTORY,
      atATime: AT_A_TIME,
    }
    await runSeeds('once', extent, (seed, index) => {
      const runKills = Math.min(KILLS_PER_DIRECTORY, kills - index * KILLS_PER_DIRECTORY)
      return new ExactlyOnceRun(seed, runKills).run()
    })
  })
})
