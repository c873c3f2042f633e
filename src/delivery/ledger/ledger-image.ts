// What survives of a consumer's ledger, and its bytes. One form serves as the snapshot and as the notes that change it:
//
//   version, last token
//   from, through: what is said of the sequences between them: those listed in runs are unsettled, all others settled
//   runs of unsettled sequences, each with its attempts
//   runs of ids, up to `from`, whose attempts changed; dead letters that are handed out again (negative ids) are here
//   runs of ids, up to `from`, that were settled
//   keys that were parked or unparked
//   messages that wait for a retry, and until when; those that were given up and not buried yet, and why
//
// A snapshot says it of everything (`from` is 0). Applying a note twice, or upon a snapshot that knows it already, changes
// nothing.
import { FanfareError } from '../../base/index.js'
import type { DeadLetterReason } from '../../engine/index.js'
import { NumberReader, NumberWriter } from './number-bytes.js'

/** Since 2 what was given up is told. */
const VERSION = 2

/** Ends a list of runs: no run has this length. */
const END = 0

const KEY_PARKED = 1
const KEY_UNPARKED = 2
const DELAY = 1
const FAILURE = 2

/** Why a message was given up. */
export interface FailureCause {
  readonly reason: DeadLetterReason
  readonly error: string
}

export interface ImageHeader {
  readonly lastToken: number
  readonly deliveredSequence: number
  readonly from: number
  readonly through: number
}

/** Writes notes and snapshots, part after part in the order of the methods. */
export class LedgerImageWriter {
  readonly #bytes = new NumberWriter()
  #first = 0
  #length = 0
  #attempts = 0
  #end = 0

  begin(header: ImageHeader): void {
    this.#bytes.write(VERSION)
    this.#bytes.write(header.lastToken)
    this.#bytes.write(header.deliveredSequence)
    this.#bytes.write(header.from)
    this.#bytes.write(header.through - header.from)
    this.#end = header.from
  }

  /** One message with its attempts: first those after `from`, ascending; behind an `endRuns`, those up to it. */
  message(id: number, attempts: number): void {
    if (this.#length > 0) {
      if (id === this.#first + this.#length && attempts === this.#attempts) {
        this.#length += 1
        return
      }
      this.#closeRun()
    }
    this.#first = id
    this.#length = 1
    this.#attempts = attempts
  }

  endRuns(): void {
    if (this.#length > 0) this.#closeRun()
    this.#bytes.write(END)
    this.#end = 0
  }

  settled(first: number, last: number): void {
    this.#bytes.write(last - first + 1)
    this.#bytes.writeSigned(first - this.#end)
    this.#end = last
  }

  endSettled(): void {
    this.#bytes.write(END)
  }

  key(key: string, isParked: boolean): void {
    this.#bytes.write(isParked ? KEY_PARKED : KEY_UNPARKED)
    this.#bytes.writeText(key)
  }

  endKeys(): void {
    this.#bytes.write(END)
  }

  delay(id: number, dueMs: number): void {
    this.#bytes.write(DELAY)
    this.#bytes.writeSigned(id)
    this.#bytes.write(dueMs)
  }

  failure(id: number, { reason, error }: FailureCause): void {
    this.#bytes.write(FAILURE)
    this.#bytes.writeSigned(id)
    this.#bytes.writeText(reason)
    this.#bytes.writeText(error)
  }

  finish(): Uint8Array {
    this.#bytes.write(END)
    return this.#bytes.take()
  }

  #closeRun(): void {
    this.#bytes.write(this.#length)
    this.#bytes.writeSigned(this.#first - this.#end)
    this.#bytes.write(this.#attempts)
    this.#end = this.#first + this.#length - 1
    this.#length = 0
  }
}

export class LedgerImage {
  lastToken = 0
  deliveredSequence = 0
  /** Every sequence up to here is settled unless it is listed. */
  through = 0
  /** Attempts of what is unsettled, by id. */
  readonly unsettled = new Map<number, number>()
  readonly parkedKeys = new Set<string>()
  /** When what waits for a retry is due, in milliseconds since 1970, by id. */
  readonly dueMs = new Map<number, number>()
  /** What was given up and is not buried yet, by id. */
  readonly failures = new Map<number, FailureCause>()

  static read(snapshot: Uint8Array, notes: readonly Uint8Array[]): LedgerImage {
    const image = new LedgerImage()
    image.apply(snapshot)
    for (const note of notes) image.apply(note)
    return image
  }

  /** Takes over what a snapshot or note says. */
  apply(bytes: Uint8Array): void {
    const reader = new NumberReader(bytes)
    const version = reader.read()
    if (version > VERSION) {
      throw new FanfareError('FORMAT_TOO_NEW', `consumer state of version ${version}`)
    }
    this.lastToken = Math.max(this.lastToken, reader.read())
    this.deliveredSequence = Math.max(this.deliveredSequence, reader.read())
    const from = reader.read()
    const through = from + reader.read()
    if (from < this.through) this.#settle(from + 1, through)
    this.#readMessages(reader, from)
    this.#readMessages(reader, 0)
    this.through = Math.max(this.through, through)
    this.#readSettled(reader)
    this.#readKeys(reader)
    this.#readFates(reader)
  }

  #readMessages(reader: NumberReader, from: number): void {
    let end = from
    for (let length = reader.read(); length !== END; length = reader.read()) {
      const first = end + reader.readSigned()
      const attempts = reader.read()
      end = first + length - 1
      for (let id = first; id <= end; id++) {
        this.#settleOne(id)
        this.unsettled.set(id, attempts)
      }
    }
  }

  #readSettled(reader: NumberReader): void {
    let end = 0
    for (let length = reader.read(); length !== END; length = reader.read()) {
      const first = end + reader.readSigned()
      end = first + length - 1
      this.#settle(first, end)
    }
  }

  #readKeys(reader: NumberReader): void {
    for (let change = reader.read(); change !== END; change = reader.read()) {
      const key = reader.readText()
      if (change === KEY_PARKED) this.parkedKeys.add(key)
      else this.parkedKeys.delete(key)
    }
  }

  #readFates(reader: NumberReader): void {
    for (let kind = reader.read(); kind !== END; kind = reader.read()) {
      const id = reader.readSigned()
      if (kind === DELAY) this.#keep(this.dueMs, id, reader.read())
      else {
        const reason = reader.readText() as DeadLetterReason
        this.#keep(this.failures, id, { reason, error: reader.readText() })
      }
    }
  }

  #keep<T>(fates: Map<number, T>, id: number, fate: T): void {
    if (this.unsettled.has(id)) fates.set(id, fate)
  }

  #settle(first: number, last: number): void {
    if (last - first < this.unsettled.size) {
      for (let id = first; id <= last; id++) this.#settleOne(id)
      return
    }
    for (const id of this.unsettled.keys()) if (id >= first && id <= last) this.#settleOne(id)
  }

  #settleOne(id: number): void {
    this.unsettled.delete(id)
    this.dueMs.delete(id)
    this.failures.delete(id)
  }
}
