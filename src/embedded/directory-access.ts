// A directory of this machine, opened for one process: its disk and its lock. Apart from the rest, as a broker that is in memory
// needs neither.
import {
  lockDirectory,
  openSystemDisk,
  type Clock,
  type DirectoryLock,
  type Disk,
} from '../base/index.js'

export interface DirectoryAccess {
  readonly disk: Disk
  readonly lock: DirectoryLock
}

/** Rejects with DIRECTORY_LOCKED naming the process that holds it. */
export async function accessDirectory(
  directory: string,
  clock: Clock,
  lockWaitMs: number | undefined,
): Promise<DirectoryAccess> {
  const disk = await openSystemDisk(directory)
  const waiting = lockWaitMs === undefined ? {} : { waitMs: lockWaitMs }
  const lock = await lockDirectory(directory, { clock, ...waiting })
  return { disk, lock }
}
