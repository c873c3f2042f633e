// A stream as it is kept besides its records: its settings as JSON and its window of ids. A note is new settings, or ids whose
// records are about to go; its first byte tells.
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
}

const SETTINGS_NOTE = 1
const IDS_NOTE = 2
const MARKS_NOTE = 3

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

/** Length of the settings, the settings, the marks, up to where ids are known, the window. */
export function encodeStreamSnapshot(
  settings: StreamSettings,
  marks: number,
  idsThrough: number,
  duplicates: Uint8Array,
): Uint8Array {
  const text = encodeSettings(settings)
  const bytes = new Uint8Array(4 + text.length + 9 + duplicates.length)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 4)
  bytes[4 + text.length] = marks
  new DataView(bytes.buffer).setFloat64(4 + text.length + 1, idsThrough, true)
  bytes.set(duplicates, 4 + text.length + 9)
  return bytes
}

export function encodeSettingsNote(settings: StreamSettings): Uint8Array {
  return encodeNote(SETTINGS_NOTE, encodeSettings(settings))
}

/** From now on records may have these marks. */
export function encodeMarksNote(marks: number): Uint8Array {
  return encodeNote(MARKS_NOTE, Uint8Array.of(marks))
}

export function encodeIdsNote(duplicates: Uint8Array): Uint8Array {
  return encodeNote(IDS_NOTE, duplicates)
}

function encodeSettings(settings: StreamSettings): Uint8Array {
  return encoder.encode(JSON.stringify(settings))
}

function encodeNote(kind: number, content: Uint8Array): Uint8Array {
  const note = new Uint8Array(content.length + 1)
  note[0] = kind
  note.set(content, 1)
  return note
}

export function recoverStream({ snapshot, notes }: RecoveredOwner): RecoveredStream {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength)
  const settingsEnd = 4 + view.getUint32(0, true)
  let settings = snapshot.subarray(4, settingsEnd)
  let marks = snapshot[settingsEnd]!
  const idsThrough = view.getFloat64(settingsEnd + 1, true)
  const duplicates = [snapshot.subarray(settingsEnd + 9)]
  for (const note of notes) {
    if (note[0] === SETTINGS_NOTE) settings = note.subarray(1)
    else if (note[0] === MARKS_NOTE) marks |= note[1]!
    else duplicates.push(note.subarray(1))
  }
  const parsed = JSON.parse(decoder.decode(settings)) as StreamSettings
  return { settings: parsed, marks, idsThrough, duplicates }
}
