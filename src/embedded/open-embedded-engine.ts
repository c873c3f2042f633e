// Opens the embedded engine on a directory: the lock, the log, and what an earlier life left. What that takes is loaded when it
// is asked for.
import { systemClock, type Clock, type Disk, type Random } from '../base/index.js'
import { EmbeddedEngine } from './embedded-engine.js'

export interface EmbeddedDirectoryOptions {
  /** Where streams lie; made when it is not there. */
  readonly directory: string
  /** How long to wait for a process that holds the directory and may be about to end, in milliseconds; default 2,000. */
  readonly lockWaitMs?: number
  /** Bytes after which a stream's file is full and the next begins: what limits remove leaves file by file; default 16 MiB. */
  readonly segmentBytes?: number
  /** Bytes of the journal after which it is begun anew; default 64 MiB. */
  readonly checkpointBytes?: number
  readonly topicCacheSize?: number
  readonly random?: Random
  readonly clock?: Clock
}

/**
 * Opens an engine whose streams lie in a directory. Rejects with DIRECTORY_LOCKED naming the process that holds it,
 * FORMAT_TOO_NEW, DISK_FULL, DISK_FAILED.
 */
export async function openEmbeddedEngine(
  options: EmbeddedDirectoryOptions,
): Promise<EmbeddedEngine> {
  const { lockDirectory, openSystemDisk } = await import('../base/disk/index.js')
  const { directory, lockWaitMs, clock = systemClock } = options
  const disk = await openSystemDisk(directory)
  const waiting = lockWaitMs === undefined ? {} : { waitMs: lockWaitMs }
  const lock = await lockDirectory(directory, { clock, ...waiting })
  try {
    return await openEngineOnDisk(disk, options, () => lock.release())
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Opens an engine on a disk that nobody else uses; `closed` is called when the engine has let go of it. */
export async function openEngineOnDisk(
  disk: Disk,
  options: Omit<EmbeddedDirectoryOptions, 'directory'> = {},
  closed?: () => Promise<void>,
): Promise<EmbeddedEngine> {
  const { openFileLogStore } = await import('../log/index.js')
  const { clock = systemClock, checkpointBytes, segmentBytes } = options
  const engine = new EmbeddedEngine(options)
  const store = await openFileLogStore(disk, clock, {
    ...(checkpointBytes === undefined ? {} : { checkpointBytes }),
    onFinding: (finding) => engine.durable?.reportFinding(finding),
  })
  await engine.openDurable({ store, strongest: 'fsync', segmentBytes, closed })
  return engine
}
