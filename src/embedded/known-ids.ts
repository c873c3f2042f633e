// The ids that a stream has accepted within its window. They outlive their messages: before records that carry them go, they are
// noted with the store.
import { DuplicateWindow } from '../delivery/ledger/index.js'
import type { Log } from '../log/index.js'
import type { StreamSite } from './stream-site.js'
import { encodeIdsNote, streamOwnerName } from './stream-snapshot.js'

/** Ids that a stream remembers at most, whatever its window. */
const MOST_IDS = 4_000_000

const encoder = new TextEncoder()

export class KnownIds {
  readonly #site: StreamSite
  readonly #log: Log
  #windowMs: number
  #ids: DuplicateWindow
  /** Ids of messages up to here are kept in notes or a snapshot. */
  #keptThrough = 0

  constructor(site: StreamSite, log: Log, windowMs: number) {
    this.#site = site
    this.#log = log
    this.#windowMs = windowMs
    this.#ids = new DuplicateWindow(windowMs, MOST_IDS)
  }

  /** The last message whose id is kept. */
  get keptThrough(): number {
    return this.#keptThrough
  }

  /** The sequence under which the id was accepted before, within the window. */
  find(id: string | undefined, nowMs: number): number | undefined {
    if (id === undefined || this.#windowMs === 0) return undefined
    const bytes = encoder.encode(id)
    return this.#ids.find(bytes, 0, bytes.length, nowMs)
  }

  /** Remembers an id, unless it is known. */
  add(id: string, sequence: number, timeMs: number): void {
    if (this.#windowMs === 0) return
    const bytes = encoder.encode(id)
    if (this.#ids.find(bytes, 0, bytes.length, timeMs) !== undefined) return
    this.#ids.add(bytes, 0, bytes.length, sequence, timeMs)
  }

  /** The records up to there are about to go. */
  keep(throughSequence: number): void {
    if (this.#ids.size === 0 || throughSequence <= this.#keptThrough) return
    const ids = this.#ids.snapshot(this.#keptThrough + 1, throughSequence)
    this.#keptThrough = throughSequence
    this.#site.store.note(streamOwnerName(this.#log.name), encodeIdsNote(ids), 'rides')
  }

  /** Messages from there on were lost. */
  forgetFrom(sequence: number): void {
    this.#ids.removeFrom(sequence)
    this.#keptThrough = Math.min(this.#keptThrough, sequence - 1)
  }

  /** All of them, kept from now on by who asks. */
  snapshot(): Uint8Array {
    this.#keptThrough = this.#log.acceptedSequence
    return this.#ids.snapshot()
  }

  setWindow(windowMs: number): void {
    this.#windowMs = windowMs
    this.#ids = DuplicateWindow.restore(windowMs, MOST_IDS, this.#ids.snapshot())
  }

  /** What was kept in an earlier life: windows of ids, each adding to those before. */
  recover(windows: readonly Uint8Array[]): void {
    for (const ids of windows) this.#ids.addSnapshot(ids)
    // A snapshot may know ids of messages that were accepted and never committed.
    this.#ids.removeFrom(this.#log.state.lastSequence + 1)
  }
}
