// One directory that lives through many kills: a child works on it, is killed at a moment that the seed chooses, and the next
// one goes on. In the end this process opens it, hands out the rest, closes it, and opens it once more.
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../src/base/index.js'
import { openEmbeddedEngine, type EmbeddedEngine } from '../../src/embedded/index.js'
import { Checker } from './checker.js'
import { CrashChild } from './child-process.js'
import type { Entry } from './diary.js'
import { keepDirectory, keepEntries } from './extent.js'
import { isDamage } from './findings.js'
import { takeInventory } from './inventory.js'
import { handOutTheRest } from './last-life.js'
import { Violation } from './violation.js'

export interface CrashRunOptions {
  readonly seed: number
  readonly kills: number
  /** The compiled child. */
  readonly program: string
}

const SIZES = { segmentBytes: 8_192, checkpointBytes: 65_536 }
/** Longer than the longest delay of a message. */
const ALL_DUE_MS = 60
const SETTLING_ROUNDS = 20

export class CrashRun {
  readonly #options: CrashRunOptions
  readonly #random: SeededRandom
  readonly #checker = new Checker()
  #next: CrashChild | undefined
  #heard: (line: string) => void = () => {}
  /** All that was heard, for whoever has to find out why. */
  readonly #entries: Entry[] = []
  /** The first thing that was wrong. */
  #wrong: Error | undefined

  constructor(options: CrashRunOptions) {
    this.#options = options
    this.#random = new SeededRandom(Math.imul(options.seed, 0x9e37_79b1) ^ 0x2545_f491)
    for (let i = 0; i < 8; i++) this.#random.nextUint32()
  }

  get counts(): Checker['counts'] {
    return this.#checker.counts
  }

  async run(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'fanfare-crash-'))
    try {
      for (let life = 0; life < this.#options.kills; life++) await this.#live(directory, life)
      await this.#finish(directory)
      await rm(directory, { recursive: true })
    } catch (error) {
      await this.#keep(directory)
      throw error
    } finally {
      await this.#next?.kill()
    }
  }

  #start(): CrashChild {
    return new CrashChild(this.#options.program, (line) => this.#heard(line))
  }

  async #live(directory: string, life: number): Promise<void> {
    const child = this.#next ?? this.#start()
    this.#checker.beginLife(life === 0 ? 'close' : 'kill')
    const moment = this.#chooseMoment()
    await new Promise<void>((resolve) => {
      let lines = 0
      let isWorking = false
      this.#heard = (line) => {
        const entry = JSON.parse(line) as Entry
        isWorking ||= entry.kind === 'working'
        this.#hear(entry)
        if (isWorking) lines += 1
        if (this.#wrong !== undefined || lines >= moment.lines) resolve()
      }
      child.order({ directory, life, seed: this.#random.nextUint32(), ...SIZES })
      // Started now, so that it is ready when this one is killed.
      this.#next = undefined
      if (moment.afterMs !== undefined) void pause(moment.afterMs).then(resolve)
      void child.ended().then(resolve)
    })
    const killed = child.kill()
    if (life + 1 < this.#options.kills) this.#prepareNext()
    await killed
    this.#throwWrong()
    if (child.errors !== '') throw new Violation(`the child said: ${child.errors}`)
  }

  /** In most lives after so many lines of work, in the others while it is being opened. */
  #chooseMoment(): { readonly lines: number; readonly afterMs?: number } {
    const kind = this.#random.nextUint32() % 8
    if (kind === 0) return { lines: Infinity, afterMs: this.#random.nextUint32() % 60 }
    if (kind === 1) return { lines: 1 + (this.#random.nextUint32() % 10) }
    return { lines: 1 + (this.#random.nextUint32() % 500) }
  }

  #hear(entry: Entry): void {
    if (this.#wrong !== undefined) return
    if (keepDirectory !== undefined) this.#entries.push(entry)
    try {
      this.#checker.take(entry)
    } catch (error) {
      this.#wrong = error instanceof Error ? error : new Error(String(error))
    }
  }

  async #finish(directory: string): Promise<void> {
    const checker = this.#checker
    const diary = { write: (entry: Entry) => this.#hear(entry), flush: () => {} }
    checker.beginLife('kill')
    const engine = await openEmbeddedEngine({ directory, ...SIZES })
    const durable = await this.#openChecked(engine)
    await pause(ALL_DUE_MS)
    // What became due is read, stored anew and committed, however long a busy machine takes.
    for (let round = 0; round < SETTLING_ROUNDS; round++) {
      await pause(2)
      await durable.store.flush()
    }
    checker.isEverythingDue = true
    await takeInventory(durable, diary)
    await handOutTheRest({ durable, diary, turn: () => pause(1), mostTurns: 10_000 })
    await takeInventory(durable, diary)
    this.#throwWrong()
    checker.checkNothingIsLeft()
    await engine.close()

    checker.beginLife('close')
    const again = await openEmbeddedEngine({ directory, ...SIZES })
    const found = await this.#openChecked(again)
    if (found.store.findings.length > 0) {
      throw new Violation(`a clean close left ${JSON.stringify(found.store.findings)}`)
    }
    await takeInventory(found, diary)
    await again.close()
    this.#throwWrong()
  }

  #throwWrong(): void {
    if (this.#wrong !== undefined) throw this.#wrong
  }

  async #openChecked(engine: EmbeddedEngine): ReturnType<EmbeddedEngine['openDurable']> {
    const durable = await engine.openDurable()
    const damage = durable.store.findings.filter(isDamage)
    if (damage.length > 0) throw new Violation(`opening found ${JSON.stringify(damage)}`)
    return durable
  }

  #prepareNext(): void {
    this.#next = this.#start()
  }

  async #keep(directory: string): Promise<void> {
    const diary = await keepEntries(`process-${this.#options.seed}`, this.#entries)
    if (diary === undefined) await rm(directory, { recursive: true })
    else await rename(directory, diary.replace('.jsonl', ''))
  }
}
