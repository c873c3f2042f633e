// What a stream does for messages with a moment of their own, beside what the conformance suite asks of every engine.
import { expect, it } from 'vitest'
import { FaultDisk } from '../../src/base/faults/index.js'
import type { Timer } from '../../src/base/index.js'
import { openEngineOnDisk, type EmbeddedEngine } from '../../src/embedded/index.js'
import {
  BytesMessage,
  type Durable,
  type ReceiptSink,
  type StreamSettings,
} from '../../src/engine/index.js'
import { TestClock } from '../../src/testing/test-clock.js'

class CountingClock extends TestClock {
  timers = 0

  override startTimer(delayMs: number, callback: () => void): Timer {
    this.timers += 1
    return super.startTimer(delayMs, callback)
  }
}

const START_MS = 1_700_000_000_000
const DUE_MS = START_MS + 1_000

const settings: StreamSettings = {
  name: 'later',
  topics: ['later'],
  durability: 'fsync',
  retention: 'limits',
  discard: 'old',
  discardPerTopic: 'old',
  duplicateWindowMs: 120_000,
}

function publishDelayed(engine: EmbeddedEngine, durable: Durable, count: number): Promise<void> {
  const handle = engine.topic('later')
  return new Promise((resolve, reject) => {
    let waiting = count
    const sink: ReceiptSink = {
      committed: (_stream, _token, _sequence, told) => {
        if ((waiting -= told) === 0) resolve()
      },
      duplicate: () => {},
      refused: (_token, _told, error) => reject(error),
    }
    for (let i = 0; i < count; i++) {
      durable.publish(handle, new BytesMessage(handle), sink, i, { deliverAtMs: DUE_MS })
    }
  })
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await isSo()); turns++) {
    if (turns > 1_000) throw new Error('it never happens')
    await new Promise((turn) => setImmediate(turn))
  }
}

it('looks at delayed messages once when they are due, not all the time while they are being delivered', async () => {
  const clock = new CountingClock(START_MS)
  const engine = await openEngineOnDisk(new FaultDisk(), { clock })
  const durable = await engine.openDurable()
  const stream = await durable.createStream(settings)
  await publishDelayed(engine, durable, 3)
  const before = clock.timers
  // The records are being read all the while, as nothing but time goes on.
  clock.advance(60_000)
  expect(clock.timers - before).toBeLessThan(10)
  await until(async () => (await stream.state()).lastSequence === 6)
  await engine.close()
})

it('delivers what was due while the disk was full as soon as there is room, each once', async () => {
  const clock = new TestClock(START_MS)
  const disk = new FaultDisk()
  const engine = await openEngineOnDisk(disk, { clock })
  const errors: string[] = []
  engine.onEvent((event) => {
    if (event.type === 'engine-error') errors.push(event.error.code)
  })
  const durable = await engine.openDurable()
  const stream = await durable.createStream(settings)
  await publishDelayed(engine, durable, 3)
  disk.capacityBytes = disk.usedBytes
  clock.advance(60_000)
  await until(() => Promise.resolve(errors.length > 0))
  expect(errors).toEqual(['DISK_FULL'])
  expect((await stream.state()).lastSequence).toBe(3)

  disk.capacityBytes = Infinity
  clock.advance(1_000)
  await until(async () => (await stream.state()).lastSequence === 6)
  expect((await stream.state()).messages).toBe(3)
  await engine.close()
  const again = await openEngineOnDisk(disk.copy(), { clock })
  const found = await (await again.openDurable()).findStream('later')
  expect((await found!.state()).messages).toBe(3)
  await again.close()
})
