// Order by key with sixteen messages in flight, some of which fail, over losses of power and kills: a key has one message in
// flight, and what comes out of it is in the order in which it went in, each once.
import { beforeAll, describe, it } from 'vitest'
import { SeededRandom } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'
import { openEngineOnDisk } from '../../src/embedded/index.js'
import { TestClock } from '../../src/testing/test-clock.js'
import { amountOf, runSeeds } from './extent.js'
import { loadModules, nextTurn, unlessHalted } from './halting-disk.js'
import { auditTransform, Transform } from './transform.js'
import { Violation } from './violation.js'

const LIVES = 8
const INPUTS_PER_LIFE = 30
const TURNS = 60
const MOST_TURNS = 2_000
const SIZES = { segmentBytes: 8_192, checkpointBytes: 32_768 }

class KeyOrderRun {
  readonly #random: SeededRandom
  #disk: FaultDisk
  #nowMs = 1_700_000_000_000
  #fed = 0

  constructor(seed: number) {
    this.#random = new SeededRandom(Math.imul(seed, 0x9e37_79b1) ^ 0x3c6e_f372)
    for (let i = 0; i < 8; i++) this.#random.nextUint32()
    this.#disk = new FaultDisk({ random: this.#random })
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      this.#disk.haltAt(1 + this.#below(500))
      await this.#live(false)
      this.#disk = this.#below(2) === 0 ? this.#disk.crash() : this.#disk.kill()
    }
    await this.#live(true)
  }

  async #live(isLast: boolean): Promise<void> {
    const disk = this.#disk
    const clock = new TestClock(this.#nowMs)
    const failures: unknown[] = []
    const turn = async (): Promise<void> => {
      await nextTurn()
      clock.advance(this.#below(3))
    }
    const work = async (): Promise<void> => {
      const engine = await openEngineOnDisk(disk, { clock, random: this.#random, ...SIZES })
      engine.onEvent((event) => {
        if (event.type === 'receiver-failed') failures.push(event.error)
      })
      const durable = await engine.openDurable()
      const later = (handle: () => void): void => {
        clock.startTimer(this.#below(4), () => {
          if (!disk.isHalted) handle()
        })
      }
      const transform = new Transform({ engine, durable, random: this.#random, later })
      await transform.open()
      transform.begin()
      await transform.feed(this.#fed + 1, INPUTS_PER_LIFE, (error) => failures.push(error))
      this.#fed += INPUTS_PER_LIFE
      if (isLast) await this.#finish(transform, turn)
      else for (let i = 0; i < TURNS; i++) await nextTurn()
      if (isLast) await engine.close()
    }
    await unlessHalted(disk, work(), turn)
    this.#nowMs = clock.nowMs()
    clock.stop()
    if (failures.length > 0) throw failures[0]
  }

  async #finish(transform: Transform, turn: () => Promise<void>): Promise<void> {
    const isDone = async (): Promise<boolean> =>
      (await transform.consumer.info()).floorSequence >=
      (await transform.input.state()).lastSequence
    for (let turns = 0; !(await isDone()); turns++) {
      if (turns > MOST_TURNS) {
        throw new Violation(`it never ends: ${JSON.stringify(await transform.consumer.info())}`)
      }
      await turn()
    }
    await auditTransform(transform, this.#fed)
  }

  #below(bound: number): number {
    return this.#random.nextUint32() % bound
  }
}

beforeAll(loadModules)

describe('order by key', () => {
  it('holds whatever fails and whenever the machine stops', { timeout: 3_600_000 }, () =>
    runSeeds('keys', { count: amountOf('keys', 40) }, (seed) => new KeyOrderRun(seed).run()),
  )
})
