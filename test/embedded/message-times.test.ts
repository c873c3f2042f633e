// What a stream does for messages with a moment of their own, beside what the conformance suite asks of every engine.
import { expect, it } from 'vitest'
import { FaultDisk, type Timer } from '../../src/base/index.js'
import { openEngineOnDisk } from '../../src/embedded/index.js'
import { BytesMessage, type ReceiptSink, type StreamSettings } from '../../src/engine/index.js'
import { TestClock } from '../../src/testing/test-clock.js'

class CountingClock extends TestClock {
  timers = 0

  override startTimer(delayMs: number, callback: () => void): Timer {
    this.timers += 1
    return super.startTimer(delayMs, callback)
  }
}

const settings: StreamSettings = {
  name: 'later',
  topics: ['later'],
  durability: 'fsync',
  retention: 'limits',
  discard: 'old',
  discardPerTopic: 'old',
  duplicateWindowMs: 120_000,
}

it('looks at delayed messages once when they are due, not all the time while they are being delivered', async () => {
  const clock = new CountingClock()
  const engine = await openEngineOnDisk(new FaultDisk(), { clock })
  const durable = await engine.openDurable()
  const stream = await durable.createStream(settings)
  const handle = engine.topic('later')
  await new Promise<void>((committed) => {
    let waiting = 3
    const sink: ReceiptSink = {
      committed: (_stream, _token, _sequence, count) => {
        if ((waiting -= count) === 0) committed()
      },
      duplicate: () => {},
      refused: () => {},
    }
    for (let i = 0; i < 3; i++) {
      const deliverAtMs = clock.nowMs() + 1_000
      durable.publish(handle, new BytesMessage(handle), sink, i, { deliverAtMs })
    }
  })

  const before = clock.timers
  // The records are being read all the while, as nothing but time goes on.
  clock.advance(60_000)
  expect(clock.timers - before).toBeLessThan(10)
  while ((await stream.state()).lastSequence < 6) await new Promise((turn) => setImmediate(turn))
  await engine.close()
})
