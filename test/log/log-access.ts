// Writing to and reading from a log with strings.
import type { KeyState, Log, LogRecord } from '../../src/log/index.js'
import type { NaiveRecord } from './naive-log.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function append(
  log: Log,
  timeMs: number,
  flags: number,
  key: string,
  head: string,
  body: string,
): number {
  const bytes = encoder.encode(`<${head}|${body}>`)
  const bodyStart = 2 + head.length
  return log.append(
    timeMs,
    flags,
    encoder.encode(key),
    bytes,
    1,
    1 + head.length,
    bodyStart,
    bodyStart + body.length,
  )
}

export function describeRecord(record: LogRecord): NaiveRecord {
  const text = (from: number, to: number): string => decoder.decode(record.bytes.slice(from, to))
  return {
    sequence: record.sequence,
    timeMs: record.timeMs,
    flags: record.flags,
    key: text(record.keyStart, record.keyEnd),
    head: text(record.headStart, record.headEnd),
    body: text(record.bodyStart, record.bodyEnd),
    length: record.bodyEnd - record.keyStart + 20,
  }
}

export async function readAll(log: Log, from = 1): Promise<NaiveRecord[]> {
  const cursor = log.cursor(from)
  const records: NaiveRecord[] = []
  for (;;) {
    const step = cursor.next()
    if (step === 'end') break
    if (step === 'wait') await cursor.loaded()
    else records.push(describeRecord(cursor))
  }
  cursor.close()
  return records
}

export function keysOf(log: Log): Map<string, KeyState> {
  const keys = new Map<string, KeyState>()
  log.keys.forEach((key, state) => {
    keys.set(decoder.decode(key), { ...state })
  })
  return new Map([...keys].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function sorted<T>(keys: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...keys].sort(([a], [b]) => (a < b ? -1 : 1)))
}
