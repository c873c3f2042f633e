// Level 0: what tests must be able to replace (time, randomness, disk, memory) and the error class everybody throws.
export { Alarms, type Alarm } from './alarms.js'
export { BoundedQueue } from './bounded-queue.js'
export { ByteArena, copyIntoSlab, type ByteArenaOptions, type Slab } from './byte-arena.js'
export { reportOnConsole } from './console-report.js'
export { systemClock, type Clock, type Timer, type TimerOptions } from './clock.js'
export { DeadlineHeap, type Deadline } from './deadline-heap.js'
export { lockDirectory, type DirectoryLock, type DirectoryLockOptions } from './directory-lock.js'
export type { Disk, DiskFile, DiskPurpose, OpenMode } from './disk.js'
export { toMilliseconds, type Duration } from './duration.js'
export { assert, FanfareError, type ErrorCode, type ErrorOptions } from './errors.js'
export { decodeExactly } from './exact-text.js'
export {
  FaultDisk,
  type DiskCounters,
  type DiskOperation,
  type FaultDiskOptions,
} from './fault-disk.js'
export { findNearest } from './nearest-name.js'
export { IdentifierSource, SeededRandom, systemRandom, type Random } from './random.js'
export { openSystemDisk } from './system-disk.js'
export { VirtualClock } from './virtual-clock.js'
