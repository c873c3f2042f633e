// The protocols by name, all of one shape, so that every peer meets the same generators.
import * as mqtt from './mqtt.mjs'
import * as nats from './nats.mjs'
import * as raw from './raw.mjs'
import * as redis from './redis.mjs'

const protocols = new Map([mqtt, nats, raw, redis].map((protocol) => [protocol.name, protocol]))

export function getProtocol(name) {
  const protocol = protocols.get(name)
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`)
  return protocol
}
