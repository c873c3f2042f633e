// A bit that is turned over at rest: what was published is shown with its own bytes or not at all, what is missing is reported with
// its stream, the other streams are whole, and the broker works.
import { beforeAll, describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'
import { openEngineOnDisk } from '../../src/embedded/index.js'
import type { EngineEvent } from '../../src/engine/index.js'
import { TestClock } from '../../src/testing/test-clock.js'
import type { Diary, Entry } from './diary.js'
import { amountOf, runSeeds } from './extent.js'
import { loadModules, nextTurn, unlessHalted } from './halting-disk.js'
import { takeInventory } from './inventory.js'
import { Load } from './load.js'

const SIZES = { segmentBytes: 8_192, checkpointBytes: 32_768 }
const START_MS = 1_700_000_000_000
const TURNS = 80
const SETTLING_TURNS = 30

type Streams = ReadonlyMap<string, ReadonlyMap<number, number>>

interface Finding {
  readonly stream: string | undefined
  readonly description: string
}

interface Found {
  readonly streams: Streams
  readonly findings: readonly Finding[]
}

/** Opens it, reads all, and publishes one message more. */
async function look(disk: FaultDisk): Promise<Found> {
  const clock = new TestClock(START_MS + 1_000_000)
  const turn = async (): Promise<void> => {
    await nextTurn()
    clock.advance(1)
  }
  const entries: Entry[] = []
  const findings: Finding[] = []
  const diary: Diary = { write: (entry) => void entries.push(entry), flush: () => {} }
  const work = async (): Promise<void> => {
    const engine = await openEngineOnDisk(disk, { clock, random: new SeededRandom(1), ...SIZES })
    engine.onEvent((event: EngineEvent) => {
      if (event.type === 'recovery-finding') findings.push(event)
    })
    const durable = await engine.openDurable()
    findings.push(
      ...durable.store.findings.map(({ log, description }) => ({ stream: log, description })),
    )
    // What waited for its moment is there now.
    for (let i = 0; i < SETTLING_TURNS; i++) await nextTurn()
    await takeInventory(durable, diary)
    await engine.close()
  }
  await unlessHalted(disk, work(), turn)
  clock.stop()
  const streams = new Map(
    entries.flatMap((entry) =>
      entry.kind === 'found-stream'
        ? [[entry.stream, new Map(entry.sequences.map((at, i) => [at, entry.numbers[i]!]))]]
        : [],
    ),
  )
  return { streams, findings }
}

async function fill(disk: FaultDisk, random: SeededRandom, closes: boolean): Promise<FaultDisk> {
  const clock = new TestClock(START_MS)
  const turn = async (): Promise<void> => {
    await nextTurn()
    clock.advance(random.nextUint32() % 3)
  }
  const work = async (): Promise<void> => {
    const engine = await openEngineOnDisk(disk, { clock, random, ...SIZES })
    const durable = await engine.openDurable()
    const diary: Diary = { write: () => {}, flush: () => {} }
    const nowMs = (): number => clock.nowMs()
    const load = new Load({
      engine,
      durable,
      random,
      diary,
      life: 0,
      nowMs,
      turn,
      isOver: () => false,
    })
    await load.begin()
    await load.run(TURNS)
    if (closes) await engine.close()
  }
  await unlessHalted(disk, work(), turn)
  clock.stop()
  return closes ? disk.copy() : disk.kill()
}

async function check(seed: number): Promise<void> {
  const random = new SeededRandom(Math.imul(seed, 0x9e37_79b1) ^ 0x68bc_21eb)
  for (let i = 0; i < 8; i++) random.nextUint32()
  const closes = random.nextUint32() % 2 === 0
  const disk = await fill(new FaultDisk({ random }), random, closes)
  const whole = await look(disk.copy())
  expect(whole.streams.size).toBeGreaterThan(5)

  const paths = disk.paths().filter((path) => disk.contents(path).length > 0 && path !== 'reserve')
  const path = paths[random.nextUint32() % paths.length]!
  const bit = random.nextUint32() % (disk.contents(path).length * 8)
  disk.flipBit(path, bit)
  // The one file without which nothing is known of the directory: it says so.
  if (path === 'fanfare.json') return
  const found = await look(disk)
  compare(whole, found, `bit ${bit} of ${path}`)
}

function compare(whole: Found, found: Found, where: string): void {
  const isReported = (stream: string): boolean =>
    found.findings.some((finding) => finding.stream === stream || finding.stream === undefined)
  for (const [stream, messages] of whole.streams) {
    const left = found.streams.get(stream) ?? new Map<number, number>()
    for (const [sequence, number] of left) {
      const wanted = messages.get(sequence)
      // What was removed may be there again when the note of it is damaged; never with other bytes.
      expect(number, `${where}: ${sequence} of ${stream}`).not.toBe(0)
      // Delayed messages are appended when it is opened: where one is lost, and told, those behind it move up.
      const movedUp = isReported(stream) && isAbove(messages, sequence, number)
      if (wanted !== undefined && !movedUp) {
        expect(number, `${where}: ${sequence} of ${stream}`).toBe(wanted)
      }
    }
    const missing = [...messages.keys()].filter((sequence) => !left.has(sequence))
    if (missing.length === 0) continue
    const text = `${where}: ${missing.length} of ${stream} are missing (${missing.slice(0, 5).join()})`
    expect(isReported(stream), `${text}, and only this is told: ${tell(found.findings)}`).toBe(true)
  }
}

/** Whether a message has a higher sequence than `sequence`. */
function isAbove(messages: ReadonlyMap<number, number>, sequence: number, number: number): boolean {
  return [...messages].some(([at, candidate]) => candidate === number && at > sequence)
}

function tell(findings: readonly Finding[]): string {
  return findings.map(({ stream, description }) => `${stream}: ${description}`).join(' ')
}

beforeAll(loadModules)

describe('a flipped bit', () => {
  it('harms nothing but what it lies in, and is told', { timeout: 3_600_000 }, () =>
    runSeeds('flips', { count: amountOf('flips', 60) }, check),
  )
})
