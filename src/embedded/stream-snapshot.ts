// A stream as it is kept besides its records: its settings and the roll-ups that are not done as JSON, and its window of ids. A
// note is new settings, ids whose records are about to go, or a roll-up; its first byte tells.
import type { StreamSettings } from '../engine/index.js'
import type { RecoveredOwner } from '../log/index.js'

export interface RecoveredStream {
  readonly settings: StreamSettings
  /** The marks (record-flags.ts) that records of the stream may have. */
  readonly marks: number
  /** Ids of records up to here are in `duplicates`. */
  readonly idsThrough: number
  /** Windows of ids, each adding to those before. */
  readonly duplicates: readonly Uint8Array[]
  /** Those whose removals may have been lost. */
  readonly rollUps: readonly RollUp[]
}

/** A message that takes the place of what was there before it. */
export interface RollUp {
  readonly sequence: number
  /** Only of this topic; absent: of all. */
  readonly topic?: string | undefined
}

/** What a snapshot is made of. */
export interface StreamContents {
  readonly settings: StreamSettings
  readonly marks: number
  readonly idsThrough: number
  readonly rollUps: readonly RollUp[]
  readonly duplicates: Uint8Array
}

const SETTINGS_NOTE = 1
const IDS_NOTE = 2
const MARKS_NOTE = 3
const ROLL_UP_NOTE = 4

const PREFIX = 'stream/'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function streamOwnerName(stream: string): string {
  return PREFIX + stream
}

/** The stream that an owner's name stands for, or undefined when it is none. */
export function streamOfOwner(owner: string): string | undefined {
  return owner.startsWith(PREFIX) ? owner.slice(PREFIX.length) : undefined
}

/** Length of the text, everything but the window as text, the window. */
export function encodeStreamSnapshot({ duplicates, ...kept }: StreamContents): Uint8Array {
  const text = encodeText(kept)
  const bytes = new Uint8Array(4 + text.length + duplicates.length)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 4)
  bytes.set(duplicates, 4 + text.length)
  return bytes
}

export function encodeSettingsNote(settings: StreamSettings): Uint8Array {
  return encodeNote(SETTINGS_NOTE, encodeText(settings))
}

/** From now on records may have these marks. */
export function encodeMarksNote(marks: number): Uint8Array {
  return encodeNote(MARKS_NOTE, Uint8Array.of(marks))
}

export function encodeIdsNote(duplicates: Uint8Array): Uint8Array {
  return encodeNote(IDS_NOTE, duplicates)
}

/** Written with the message itself, in one commit: its removals follow when that is safe, and are done again if they are lost. */
export function encodeRollUpNote(rollUp: RollUp): Uint8Array {
  return encodeNote(ROLL_UP_NOTE, encodeText(rollUp))
}

function encodeText(value: object): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

function parseText(bytes: Uint8Array): unknown {
  return JSON.parse(decoder.decode(bytes))
}

function encodeNote(kind: number, content: Uint8Array): Uint8Array {
  const note = new Uint8Array(content.length + 1)
  note[0] = kind
  note.set(content, 1)
  return note
}

export function recoverStream({ snapshot, notes }: RecoveredOwner): RecoveredStream {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength)
  const textEnd = 4 + view.getUint32(0, true)
  const kept = parseText(snapshot.subarray(4, textEnd)) as Omit<StreamContents, 'duplicates'>
  let { settings, marks } = kept
  const duplicates = [snapshot.subarray(textEnd)]
  const rollUps = [...kept.rollUps]
  for (const note of notes) {
    const content = note.subarray(1)
    if (note[0] === SETTINGS_NOTE) settings = parseText(content) as StreamSettings
    else if (note[0] === MARKS_NOTE) marks |= content[0]!
    else if (note[0] === ROLL_UP_NOTE) rollUps.push(parseText(content) as RollUp)
    else duplicates.push(content)
  }
  return { settings, marks, idsThrough: kept.idsThrough, duplicates, rollUps }
}
