// Tells all that an engine holds, as read through the contract.
import type { Durable, Stream } from '../../src/engine/index.js'
import type { Diary } from './diary.js'
import { consumerId, CONSUMERS, numberOf } from './world.js'

export async function takeInventory(durable: Durable, diary: Diary): Promise<void> {
  const streams = await durable.streams()
  for (const stream of streams) {
    if (stream.name.endsWith('-dead-letters')) continue
    await tellStream(stream, diary)
    await tellLetters(durable, stream, diary)
  }
  for (const place of CONSUMERS) {
    const stream = streams.find(({ name }) => name === place.stream)
    const consumer = await stream?.findConsumer(place.settings.name)
    if (consumer === undefined) continue
    const { lastToken } = await consumer.info()
    diary.write({ kind: 'found-consumer', consumer: consumerId(place), lastToken })
  }
  diary.write({ kind: 'inventory-done' })
  diary.flush()
}

async function tellStream(stream: Stream, diary: Diary): Promise<void> {
  const sequences: number[] = []
  const numbers: number[] = []
  const topics: number[] = []
  const reader = stream.read()
  for (;;) {
    const message = await reader.next()
    if (message === undefined) break
    sequences.push(message.sequence)
    numbers.push(numberOf(message.body) ?? 0)
    topics.push(Number(message.handle.name.split('.')[1]))
  }
  reader.close()
  const { lastSequence } = await stream.state()
  diary.write({
    kind: 'found-stream',
    stream: stream.name,
    sequences,
    numbers,
    topics,
    lastSequence,
  })
}

async function tellLetters(durable: Durable, stream: Stream, diary: Diary): Promise<void> {
  const found = await durable.deadLetters(stream).list()
  const letters = found.map(({ consumer, body, originalSequence, reason }) => ({
    consumer: `${stream.name}/${consumer}`,
    number: numberOf(body) ?? 0,
    sequence: originalSequence,
    reason,
  }))
  diary.write({ kind: 'found-letters', stream: stream.name, letters })
}
