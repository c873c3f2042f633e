// Publishes one message after another, and says of each that it has its receipt. What the system was asked for meanwhile is looked
// at from outside.
import { writeSync } from 'node:fs'
import { openEmbeddedEngine } from '../../src/embedded/index.js'
import type { Durable, Engine, Stream } from '../../src/engine/index.js'
import { BytesMessage } from '../../src/engine/index.js'

const MESSAGES = 20
const encoder = new TextEncoder()

function publish(engine: Engine, durable: Durable, topic: string, text: string): Promise<void> {
  const handle = engine.topic(topic)
  const message = new BytesMessage(handle)
  message.setParts(new Uint8Array(0), new Uint8Array(0), encoder.encode(text))
  return new Promise((resolve, reject) => {
    const sink = {
      committed: (_stream: Stream, _token: number, _sequence: number, _count: number): void => {
        writeSync(1, `receipt of ${text}\n`)
        resolve()
      },
      duplicate: () => {},
      refused: (_token: number, _count: number, error: Error) => reject(error),
    }
    durable.publish(handle, message, sink, 1)
  })
}

const engine = await openEmbeddedEngine({ directory: process.argv[2]!, segmentBytes: 1_024 })
const durable = await engine.openDurable()
for (const name of ['one', 'two']) {
  await durable.createStream({
    name,
    topics: [`${name}.>`],
    durability: 'fsync',
    retention: 'limits',
    discard: 'old',
    discardPerTopic: 'old',
    duplicateWindowMs: 0,
  })
}
for (let i = 0; i < MESSAGES; i++) {
  // Alone, to its own segment; and two streams together, to the journal.
  if (i % 2 === 0) await publish(engine, durable, 'one.a', `marker-${i}-of-one;`)
  else {
    await Promise.all(
      ['one', 'two'].map((name) =>
        publish(engine, durable, `${name}.a`, `marker-${i}-of-${name};`),
      ),
    )
  }
}
await engine.close()
