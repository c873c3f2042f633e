// How the server calls itself.
import type { Random } from '../base/index.js'

/**
 * The NATS version announced in INFO: clients decide by it what they may use. 2.10 is the newest whose core protocol is
 * spoken in full here; it promises nothing of JetStream.
 */
export const PROTOCOL_VERSION = '2.10.0'

const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** 56 characters starting with N, as nats-server's ids (public nkeys) look. */
export function makeServerId(random: Random): string {
  let id = 'N'
  while (id.length < 56) id += BASE_32[random.nextUint32() % 32]
  return id
}
