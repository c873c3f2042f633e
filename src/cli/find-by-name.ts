// Streams and consumers by the names on the command line; who mistypes one is told which there are.
import { FanfareError } from '../base/index.js'
import type { Broker, BrokerStream, ConsumerStatus } from '../broker/index.js'

/** Rejects with STREAM_NOT_FOUND. */
export async function findStream(broker: Broker, name: string): Promise<BrokerStream> {
  const streams = await broker.streams()
  const found = streams.find((stream) => stream.name === name)
  if (found !== undefined) return found
  throw new FanfareError(
    'STREAM_NOT_FOUND',
    `there is no stream ${name}; ${listNames(streams, 'there is none')}`,
    { details: { stream: name } },
  )
}

/** Rejects with CONSUMER_NOT_FOUND. */
export async function findConsumer(stream: BrokerStream, name: string): Promise<ConsumerStatus> {
  const consumers = await stream.consumers()
  const found = consumers.find((consumer) => consumer.name === name)
  if (found !== undefined) return found
  throw new FanfareError(
    'CONSUMER_NOT_FOUND',
    `stream ${stream.name} has no consumer ${name}; ${listNames(consumers, 'it has none')}`,
    { details: { stream: stream.name, consumer: name } },
  )
}

function listNames(found: readonly { readonly name: string }[], none: string): string {
  const [first, second] = found
  if (first === undefined) return none
  const names = found.map(({ name }) => name).join(', ')
  return second === undefined ? `there is ${names}` : `there are ${names}`
}
