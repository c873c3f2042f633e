// What a log promises: records in sequence, each with a time, a key and a body, appended at one end, read from
// anywhere, removed by limits or by hand. It knows no messaging: keys and bodies are bytes.
//
// LAW
// Acceptance  `append` numbers a record at once (1, 2, 3 …, no number twice, not even after an unclean stop) and says
//             nothing about its safety. What is accepted is committed in order, or the log freezes.
// Commit      A record is committed when it is as safe as the log's durability says. Cursors and `read` show committed
//             records only; `committed` is told of ranges, one call for each commit cycle.
// Units       What is accepted between `beginUnit` and `endUnit` of the store is committed together or not at all, also
//             over a crash, whatever logs and notes it touches.
// Failure     A failed write or sync freezes that log: it stays readable, `append` throws STREAM_FROZEN, the others go on. A
//             full disk freezes nothing: what was accepted is refused with DISK_FULL and appending works again later.
// Time        Stored time never runs backwards within a log.
import type { FanfareError } from '../base/index.js'

/** How safe a committed record is: on the disk; handed to the operating system; in this process only. */
export type Durability = 'fsync' | 'os' | 'memory'

/** Limits enforced by removing the oldest; absent: none. */
export interface LogLimits {
  readonly maxRecords?: number | undefined
  readonly maxBytes?: number | undefined
  readonly maxAgeMs?: number | undefined
  readonly maxRecordsPerKey?: number | undefined
}

export interface LogSettings {
  readonly durability: Durability
  readonly limits?: LogLimits
  /** Where a segment ends and the next begins, in bytes; default 16 MiB. */
  readonly segmentBytes?: number
}

export interface LogState {
  /** Records that can be read, and their bytes as stored. */
  readonly records: number
  readonly bytes: number
  /** The oldest record's number; one more than `lastSequence` when there is none. */
  readonly firstSequence: number
  /** The last committed number, whether its record is still there or not; 0 before the first. */
  readonly lastSequence: number
  readonly firstTimeMs: number
  readonly lastTimeMs: number
  /** Numbers between first and last whose records were removed. */
  readonly removed: number
  readonly keys: number
}

export interface LogListener {
  /** Every record up to `throughSequence` is committed. */
  committed(throughSequence: number): void
  /** Records from `fromSequence` on, accepted but not committed, are lost; `error` says why. */
  failed(fromSequence: number, error: FanfareError): void
  /** A record is gone, by whatever limit or hand; told when its key has been accounted for. */
  removed?(sequence: number, bytes: Uint8Array, keyStart: number, keyEnd: number): void
  /** Everything is gone at once. */
  cleared?(): void
  /** What the disk holds of the records up to here, removed ones included, is about to be given up. */
  dropping?(throughSequence: number): void
}

/**
 * What a store keeps of one key. After a removal, until `Log.settled` resolves: `count` may hold removed records still,
 * `firstSequence` may be too low when the key's first record was removed, `lastSequence` too high when its last was.
 */
export interface KeyState {
  readonly count: number
  readonly firstSequence: number
  readonly lastSequence: number
}

/**
 * One record as it lies in a buffer that belongs to the log: valid until the cursor moves on. `bytes` may be kept, as the log
 * never writes into a buffer that it has handed out, but it holds the record's neighbours in memory.
 */
export interface LogRecord {
  readonly sequence: number
  /** Milliseconds since 1970. */
  readonly timeMs: number
  /** The 16 bits that the appender gave. */
  readonly flags: number
  readonly bytes: Uint8Array
  readonly keyStart: number
  readonly keyEnd: number
  /** Two parts of the body, kept apart for the reader. */
  readonly headStart: number
  readonly headEnd: number
  readonly bodyStart: number
  readonly bodyEnd: number
}

export interface CursorOptions {
  /** Records are valid until the next call of `next` only, their bytes too: what was read is read into again. Default false. */
  readonly isTransient?: boolean
}

/** Walks committed records upwards. */
export interface LogCursor extends LogRecord {
  /**
   * Moves to the next record. 'record': the fields above hold it. 'end': no more is committed. 'wait': it has to be read
   * from the disk first; call again when `loaded()` resolves.
   */
  next(): 'record' | 'end' | 'wait'
  loaded(): Promise<void>
  /** Goes on at the first record whose number is at least `sequence`. */
  seek(sequence: number): void
  /** The number that `next` will look at first. */
  readonly position: number
  close(): void
}

export interface Log {
  readonly name: string
  readonly settings: LogSettings
  /** Changed by `setLimits`. */
  readonly limits: LogLimits
  readonly state: LogState
  /** The last number given, committed or not. */
  readonly acceptedSequence: number
  /** Accepted bytes that wait for their commit. */
  readonly backlogBytes: number
  /** Why nothing can be appended, or undefined. */
  readonly frozen: FanfareError | undefined
  readonly keys: KeyIndex

  listen(listener: LogListener): void

  /**
   * Accepts one record whose key, head and body lie in `bytes` and copies them. Returns its number. Throws
   * STREAM_FROZEN, CLOSED.
   */
  append(
    timeMs: number,
    flags: number,
    key: Uint8Array,
    bytes: Uint8Array,
    headStart: number,
    headEnd: number,
    bodyStart: number,
    bodyEnd: number,
  ): number

  cursor(fromSequence: number, options?: CursorOptions): LogCursor
  /**
   * Begins at, or somewhat before, the first record whose time is at least `sinceMs`, and shows removed records too as long as
   * their bytes lie there: after a stop, what limits removed before its owner could note what it knew of them.
   */
  remains(sinceMs: number): LogCursor
  /** A copy of one committed record, or undefined when it is not there. */
  read(sequence: number): Promise<LogRecord | undefined>
  /** The number of the first committed record whose time is at least `timeMs`; one more than the last when there is none. */
  sequenceAt(timeMs: number): Promise<number>

  setLimits(limits: LogLimits): void
  /** Removes what is older than the limits allow at `nowMs`. Appending does it too, so this serves age. */
  enforceLimits(nowMs: number): void
  /** When the oldest record becomes too old, or undefined. */
  readonly nextExpiryMs: number | undefined

  /**
   * Removes one committed record; false when it is gone. `durably` false: the caller knows how to derive it again after a restart;
   * true: it may be called again when the removal could not be committed.
   */
  remove(sequence: number, durably: boolean): boolean
  /** Removes every record up to and including `sequence`. */
  trim(sequence: number, durably: boolean): void
  /**
   * A removal shows at once in cursors, `state.records` and `state.firstSequence`; `state.bytes` and `keys` follow when the
   * removed records have been looked at, which may mean reading them. Resolves when they are exact.
   */
  settled(): Promise<void>
}

/** What is known of each key without reading records: kept exactly, survives a restart. */
export interface KeyIndex {
  readonly size: number
  /** Committed records of `key`, or undefined when there are none. */
  find(key: Uint8Array): KeyState | undefined
  /** Calls `visit` with each key; `visit` returns false to stop. The bytes are valid during the call. */
  forEach(visit: (key: Uint8Array, state: KeyState) => boolean | void): void
}

/** How safe a note must be before it is reported. */
export type NoteLevel = 'rides' | 'written' | 'fsync'

/** Somebody whose state lives in the store as a snapshot and notes that change it. */
export interface NoteOwner {
  /**
   * The whole state now; asked for when old notes are to be forgotten, or were lost. Notes that it has already may follow it once
   * more.
   */
  snapshot(): Uint8Array
}

export interface RecoveredOwner {
  readonly snapshot: Uint8Array
  /** What was noted since, oldest first. */
  readonly notes: readonly Uint8Array[]
}

/** What opening found wrong and what was done about it; nothing is deleted. */
export interface RecoveryFinding {
  readonly kind: 'torn-tail' | 'damaged-block' | 'damaged-index' | 'quarantined' | 'unclean-stop'
  /** The log concerned, or undefined for the journal. */
  readonly log: string | undefined
  readonly path: string
  readonly description: string
  /** Numbers that may be lost. */
  readonly fromSequence?: number
  readonly toSequence?: number
}

export interface LogStore {
  readonly findings: readonly RecoveryFinding[]
  /** The logs there are, by name. */
  readonly logs: ReadonlyMap<string, Log>

  /** Makes a log; it is durable when the promise resolves. Names are safe on every file system; checked above. */
  create(name: string, settings: LogSettings): Promise<Log>
  /**
   * Removes a log and its files; nothing can be appended from now on. When the promise rejects (DISK_FULL), the log may be there again
   * after the directory is opened the next time.
   */
  drop(log: Log): Promise<void>

  /** What was recovered of the owners, by name, until they are `adopt`ed. */
  readonly recovered: ReadonlyMap<string, RecoveredOwner>
  /** From now on `owner` answers for the state of that name; its first snapshot is taken now, durable with `done`. */
  adopt(name: string, owner: NoteOwner, done?: (error?: FanfareError) => void): void
  /** Forgets an owner and its state. */
  disown(name: string, done?: (error?: FanfareError) => void): void
  /**
   * Notes a change of an owner's state. 'rides': with the next cycle, none is forced. 'written': soon, handed to the
   * operating system before `done`. 'fsync': on the disk before `done`. Notes of one owner keep their order.
   */
  note(
    owner: string,
    bytes: Uint8Array,
    level: NoteLevel,
    done?: (error?: FanfareError) => void,
  ): void

  /** Opens a unit: until `endUnit`, in the same turn, everything accepted belongs together. Units do not nest. */
  beginUnit(): void
  /** Closes it; `done` is called when all of it is committed at the level of its strongest part, or none of it is. */
  endUnit(done?: (error?: FanfareError) => void): void

  /** Resolves when everything accepted before is committed. */
  flush(): Promise<void>
  /** Commits, marks the directory as cleanly closed, releases it. */
  close(): Promise<void>
}
