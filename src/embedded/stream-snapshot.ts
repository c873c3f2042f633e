// A stream as it is kept besides its records: its settings as JSON and its window of ids. A note is new settings.
import type { StreamSettings } from '../engine/index.js'
import type { RecoveredOwner } from '../log/index.js'

export interface RecoveredStream {
  readonly settings: StreamSettings
  readonly duplicates: Uint8Array
}

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

/** Length of the settings, the settings, the window. */
export function encodeStreamSnapshot(settings: StreamSettings, duplicates: Uint8Array): Uint8Array {
  const text = encodeStreamSettings(settings)
  const bytes = new Uint8Array(4 + text.length + duplicates.length)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 4)
  bytes.set(duplicates, 4 + text.length)
  return bytes
}

export function encodeStreamSettings(settings: StreamSettings): Uint8Array {
  return encoder.encode(JSON.stringify(settings))
}

export function recoverStream({ snapshot, notes }: RecoveredOwner): RecoveredStream {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength)
  const settingsEnd = 4 + view.getUint32(0, true)
  const settings = notes.at(-1) ?? snapshot.subarray(4, settingsEnd)
  return {
    settings: JSON.parse(decoder.decode(settings)) as StreamSettings,
    duplicates: snapshot.subarray(settingsEnd),
  }
}
