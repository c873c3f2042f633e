// What a publisher asked of a stream, as headers: it must survive a restart, so the engine writes what the caller left out.
// Names and forms are those of NATS: Nats-Msg-Id, Nats-TTL (ADR-43), Nats-Schedule (ADR-51).
import { BytesMessage, type AppendOptions } from '../engine/index.js'
import { decodeHeaderBlock, encodeHeaderBlock, findHeader } from '../wire/index.js'
import { HAS_ID, HAS_TTL, IS_DELAYED } from './record-flags.js'

const ID = 'Nats-Msg-Id'
const TTL = 'Nats-TTL'
const SCHEDULE = 'Nats-Schedule'

/** The marks of a record that is published with `options` at `nowMs`: a moment that has passed delays nothing. */
export function flagsOf(options: AppendOptions, nowMs: number): number {
  return (
    (options.id === undefined ? 0 : HAS_ID) |
    (options.ttlMs === undefined ? 0 : HAS_TTL) |
    ((options.deliverAtMs ?? 0) > nowMs ? IS_DELAYED : 0)
  )
}

/** `message` with headers that say what `options` say; itself when it has them. */
export function withPublishHeaders(message: BytesMessage, options: AppendOptions): BytesMessage {
  const wanted: (readonly [string, string])[] = []
  if (options.id !== undefined) wanted.push([ID, options.id])
  if (options.ttlMs !== undefined) wanted.push([TTL, `${options.ttlMs}ms`])
  if (options.deliverAtMs !== undefined) {
    wanted.push([SCHEDULE, `@at ${new Date(options.deliverAtMs).toISOString()}`])
  }
  const missing = wanted.filter(([name]) => readField(message, name) === undefined)
  if (missing.length === 0) return message
  const given = message.headerBytes > 0 ? decodeHeaderBlock(message.headerBlock).fields : []
  const complete = new BytesMessage(message.handle)
  complete.setParts(new Uint8Array(0), encodeHeaderBlock([...given, ...missing]), message.body)
  complete.origin = message.origin
  return complete
}

export function readId(message: BytesMessage): string | undefined {
  return readField(message, ID)
}

/** Milliseconds to live, or undefined when there is no such header or it says 'never'. */
export function readTtlMs(message: BytesMessage): number | undefined {
  const text = readField(message, TTL)
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
  }
  return totalMs > 0 ? totalMs : undefined
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/** The moment that `@at` names, or undefined. */
export function readDeliverAtMs(message: BytesMessage): number | undefined {
  const text = readField(message, SCHEDULE)
  if (text?.startsWith('@at ') !== true) return undefined
  const atMs = Date.parse(text.slice(4))
  return Number.isNaN(atMs) ? undefined : atMs
}

function readField(message: BytesMessage, name: string): string | undefined {
  const { buffer, headersStart, headersEnd } = message
  if (headersEnd === headersStart) return undefined
  return findHeader(buffer, headersStart, headersEnd, name.toLowerCase())
}
