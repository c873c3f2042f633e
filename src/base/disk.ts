// The disk, so that tests can replace it: files and directories as the log uses them, nothing more. The real one is
// `openSystemDisk`; a seeded one that tears, loses and refuses writes is `FaultDisk`.
//
// Paths are relative to the disk's root, with '/' between the parts; the root itself is ''. A part consists of letters,
// digits, '_', '-', '%' and, neither first nor last, '.': what every file system takes (INTERNAL otherwise). Failures are FanfareErrors: DISK_FULL (nothing
// more can be written now; reading and removing still work), DISK_FAILED (anything else, its `cause` the system's error).

export interface DiskFile {
  /** Reads up to `to - from` bytes at `position` into `bytes[from, to)`; resolves with how many there were. */
  read(bytes: Uint8Array, from: number, to: number, position: number): Promise<number>
  /** Writes all of `bytes[from, to)` at `position`. The bytes must not change until it resolves. */
  write(bytes: Uint8Array, from: number, to: number, position: number): Promise<void>
  /**
   * Writes the pieces one behind the other at `position` and resolves when they would survive a loss of power; it says nothing of what
   * was written before. One call of the system where the file is open for 'durable' and the system can. A failure other than
   * DISK_FULL is that of a sync.
   */
  writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void>
  /** Resolves when everything written so far would survive a loss of power (fdatasync). Never retried after a failure. */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  size(): Promise<number>
  /** Resolves when what is under way has ended and the descriptor is given back; more calls do nothing. */
  close(): Promise<void>
}

/** `create` fails when the file exists, the others when it does not. 'durable' is for `writeDurably`. */
export type OpenMode = 'read' | 'write' | 'create' | 'durable'

/**
 * What a file is opened for, and so what its calls may wait for: those of a 'commit' wait for nothing, of 'read' there are
 * two at a time, of 'background' (compaction, scans, checkpoints of big files) one.
 */
export type DiskPurpose = 'commit' | 'read' | 'background'

export interface Disk {
  /** `purpose` is 'read' by default for mode 'read', and 'commit' for the others. */
  open(path: string, mode: OpenMode, purpose?: DiskPurpose): Promise<DiskFile>
  /** Names in a directory, sorted; an absent directory has none. */
  list(directory: string): Promise<string[]>
  exists(path: string): Promise<boolean>
  /** Makes the directory and those above it; does nothing when it is there. */
  makeDirectory(directory: string): Promise<void>
  /** Removes a file; does nothing when it is not there. */
  remove(path: string): Promise<void>
  /** Removes an empty directory; does nothing when it is not there. */
  removeDirectory(directory: string): Promise<void>
  /** Renames a file or directory, replacing a file of the new name. */
  rename(from: string, to: string): Promise<void>
  /** Makes creations, renames and removals in the directory survive a loss of power. */
  syncDirectory(directory: string): Promise<void>
  /** Bytes that may still be written, or undefined where the disk cannot say. */
  freeBytes(): Promise<number | undefined>
  /** CRC-32 (IEEE 802.3) of `bytes[from, to)`, going on from `seed`. */
  checksum(bytes: Uint8Array, from: number, to: number, seed?: number): number
}
