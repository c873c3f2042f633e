// A log as its contract says, done the obvious way: an array. What the real ones are compared with.
import type { KeyState, LogLimits, LogState } from '../../src/log/index.js'

export interface NaiveRecord {
  readonly sequence: number
  readonly timeMs: number
  readonly flags: number
  readonly key: string
  readonly head: string
  readonly body: string
  readonly length: number
}

const RECORD_HEADER_BYTES = 20

export class NaiveLog {
  records: NaiveRecord[] = []
  limits: LogLimits
  last = 0
  lastTimeMs = 0

  constructor(limits: LogLimits) {
    this.limits = limits
  }

  append(timeMs: number, flags: number, key: string, head: string, body: string): void {
    this.last += 1
    this.lastTimeMs = Math.max(this.lastTimeMs, timeMs)
    const length = RECORD_HEADER_BYTES + key.length + head.length + body.length
    const record = {
      sequence: this.last,
      timeMs: this.lastTimeMs,
      flags,
      key,
      head,
      body,
      length,
    }
    this.records.push(record)
    this.shrinkKey(key)
  }

  shrinkKey(key: string): void {
    const max = this.limits.maxRecordsPerKey ?? Infinity
    const ofKey = this.records.filter((record) => record.key === key)
    for (const gone of ofKey.slice(0, Math.max(0, ofKey.length - max))) this.remove(gone.sequence)
  }

  setLimits(limits: LogLimits): void {
    this.limits = limits
    for (const key of new Set(this.records.map((record) => record.key))) this.shrinkKey(key)
  }

  enforce(nowMs: number): void {
    const { maxRecords = Infinity, maxBytes = Infinity, maxAgeMs = Infinity } = this.limits
    while (
      this.records.length > maxRecords ||
      this.bytes > maxBytes ||
      (this.records.length > 0 && this.records[0]!.timeMs <= nowMs - maxAgeMs)
    ) {
      this.records.shift()
    }
  }

  remove(sequence: number): boolean {
    const index = this.records.findIndex((record) => record.sequence === sequence)
    if (index >= 0) this.records.splice(index, 1)
    return index >= 0
  }

  trim(sequence: number): void {
    this.records = this.records.filter((record) => record.sequence > sequence)
  }

  get bytes(): number {
    return this.records.reduce((sum, record) => sum + record.length, 0)
  }

  get state(): LogState {
    const first = this.records[0]
    const firstSequence = first?.sequence ?? this.last + 1
    return {
      records: this.records.length,
      bytes: this.bytes,
      firstSequence,
      lastSequence: this.last,
      firstTimeMs: first?.timeMs ?? 0,
      lastTimeMs: this.lastTimeMs,
      removed: this.last - firstSequence + 1 - this.records.length,
      keys: this.keys.size,
    }
  }

  get keys(): Map<string, KeyState> {
    const keys = new Map<string, KeyState>()
    for (const { key, sequence } of this.records) {
      const state = keys.get(key)
      keys.set(key, {
        count: (state?.count ?? 0) + 1,
        firstSequence: state?.firstSequence ?? sequence,
        lastSequence: sequence,
      })
    }
    return keys
  }
}
