// The same load and the same checker on a disk in memory, from a seed alone: the machine stands still in the middle of some call
// to the disk, the process is killed or the power is lost, and the next life finds what such a disk keeps. Time moves when
// the load says so. With faults, writes, syncs and renames fail now and then, or the disk fills up; the bytes at rest stay what
// they are.
import { SeededRandom } from '../../src/base/index.js'
import { FaultDisk, type DiskOperation } from '../../src/base/faults/index.js'
import { openEngineOnDisk, type EmbeddedEngine } from '../../src/embedded/index.js'
import { TestClock } from '../../src/testing/test-clock.js'
import { Checker, type Ending } from './checker.js'
import type { Diary, Entry } from './diary.js'
import { isDamage } from './findings.js'
import { loadModules, nextTurn, unlessHalted } from './halting-disk.js'
import { takeInventory } from './inventory.js'
import { handOutTheRest } from './last-life.js'
import { Load } from './load.js'
import { Violation } from './violation.js'

export interface PowerRunOptions {
  readonly seed: number
  readonly lives: number
  readonly turns: number
  readonly trouble: 'none' | 'failures' | 'full'
}

const SIZES = { segmentBytes: 8_192, checkpointBytes: 65_536 }
const FAILING: readonly DiskOperation[] = [
  'write',
  'sync',
  'rename',
  'open',
  'truncate',
  'syncDirectory',
  'remove',
]
const MOST_TURNS = 3_000
const ALL_DUE_MS = 3_600_000

interface Life {
  readonly clock: TestClock
  readonly diary: Diary
  readonly engine: EmbeddedEngine
}

export class PowerRun {
  readonly #options: PowerRunOptions
  readonly #random: SeededRandom
  readonly #checker = new Checker()
  #disk: FaultDisk
  #nowMs = 1_700_000_000_000
  /** All that was told, for whoever has to find out why. */
  readonly entries: Entry[] = []

  constructor(options: PowerRunOptions) {
    this.#options = options
    this.#random = new SeededRandom(Math.imul(options.seed, 0x9e37_79b1) ^ 0x1b87_3593)
    for (let i = 0; i < 8; i++) this.#random.nextUint32()
    this.#disk = new FaultDisk({ random: this.#random })
    this.#checker.isDiskFailing = options.trouble !== 'none'
  }

  get counts(): Checker['counts'] {
    return this.#checker.counts
  }

  async run(): Promise<void> {
    const { lives } = this.#options
    await loadModules()
    let ending: Ending = 'close'
    for (let life = 0; life < lives; life++) ending = await this.#live(life, ending)
    await this.#finish(ending)
  }

  async #live(life: number, ending: Ending): Promise<Ending> {
    const disk = this.#disk
    this.#checker.beginLife(ending)
    disk.haltAt(this.#chooseHalt())
    const opened = await this.#open()
    if (opened !== undefined) await this.#work(life, opened)
    const isPower = this.#below(2) === 0
    if (opened !== undefined) this.#nowMs = opened.clock.nowMs()
    opened?.clock.stop()
    disk.forgetFaults()
    disk.capacityBytes = Infinity
    this.#disk = isPower ? disk.crash() : disk.kill()
    return isPower ? 'power loss' : 'kill'
  }

  async #work(life: number, { engine, clock, diary }: Life): Promise<void> {
    const disk = this.#disk
    const isOver = (): boolean => disk.isHalted
    let isWorking = false
    const turn = async (): Promise<void> => {
      await nextTurn()
      clock.advance(this.#below(4))
      if (isWorking) this.#makeTrouble()
    }
    const durable = await engine.openDurable()
    const work = async (): Promise<void> => {
      await takeInventory(durable, diary)
      const random = new SeededRandom(this.#random.nextUint32())
      const nowMs = (): number => clock.nowMs()
      const load = new Load({ engine, durable, random, diary, life, nowMs, turn, isOver })
      await load.begin()
      isWorking = true
      await load.run(this.#options.turns)
    }
    await unlessHalted(disk, work(), turn)
  }

  #makeTrouble(): void {
    const { trouble } = this.#options
    const disk = this.#disk
    if (trouble === 'failures' && this.#below(60) === 0) {
      disk.failAt(FAILING[this.#below(FAILING.length)]!, 1 + this.#below(6))
    }
    if (trouble !== 'full') return
    if (disk.capacityBytes === Infinity) {
      if (this.#below(30) === 0) disk.capacityBytes = disk.usedBytes + this.#below(4_000)
    } else if (this.#below(15) === 0) disk.capacityBytes = Infinity
  }

  /** Mostly while it works, sometimes while it is being opened. */
  #chooseHalt(): number {
    return 1 + this.#below(this.#below(4) === 0 ? 60 : 1_200)
  }

  /** Undefined: the machine stood still before it was open. */
  async #open(): Promise<Life | undefined> {
    const disk = this.#disk
    const clock = new TestClock(this.#nowMs)
    const opening = openEngineOnDisk(disk, { clock, random: this.#random, ...SIZES })
    const engine = await unlessHalted(disk, opening, async () => {
      await nextTurn()
      clock.advance(1)
    })
    if (engine === undefined) {
      clock.stop()
      return undefined
    }
    const durable = await engine.openDurable()
    const damage = durable.store.findings.filter(isDamage)
    if (damage.length > 0) throw new Violation(`opening found ${JSON.stringify(damage)}`)
    return { engine, clock, diary: this.#diaryOf(disk) }
  }

  /** What a machine that stands still does is not told to anybody. */
  #diaryOf(disk: FaultDisk): Diary {
    return {
      write: (entry) => {
        if (disk.isHalted) return
        this.entries.push(entry)
        this.#checker.take(entry)
      },
      flush: () => {},
    }
  }

  async #finish(ending: Ending): Promise<void> {
    const checker = this.#checker
    checker.beginLife(ending)
    const { engine, clock, diary } = (await this.#open())!
    const durable = await engine.openDurable()
    const turn = async (): Promise<void> => {
      await nextTurn()
      clock.advance(1)
    }
    clock.advance(ALL_DUE_MS)
    for (let i = 0; i < 20; i++) await turn()
    checker.isEverythingDue = true
    await takeInventory(durable, diary)
    await handOutTheRest({ durable, diary, turn, mostTurns: MOST_TURNS })
    await takeInventory(durable, diary)
    checker.checkNothingIsLeft()
    await engine.close()

    checker.beginLife('close')
    this.#nowMs = clock.nowMs()
    clock.stop()
    const again = (await this.#open())!
    await takeInventory(await again.engine.openDurable(), again.diary)
    await again.engine.close()
    again.clock.stop()
  }

  #below(bound: number): number {
    return this.#random.nextUint32() % bound
  }
}
