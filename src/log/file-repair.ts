// What recovery does to files: sets aside what it cannot read, writes again what may not be safe. Nothing is deleted.
import type { Disk } from '../base/index.js'
import { readRange } from './file-header.js'

export const QUARANTINE_DIRECTORY = 'quarantine'

/** Moves a file or directory out of the way under a name that says where it was. */
export async function quarantine(disk: Disk, path: string): Promise<string> {
  await makeQuarantine(disk)
  const target = await freeName(disk, path)
  await disk.rename(path, target)
  await disk.syncDirectory(QUARANTINE_DIRECTORY)
  await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  return target
}

/** Copies `[from, to)` of a file to the quarantine. */
export async function keepBytes(
  disk: Disk,
  path: string,
  from: number,
  to: number,
): Promise<string> {
  await makeQuarantine(disk)
  const source = await disk.open(path, 'read')
  try {
    const bytes = await readRange(source, from, to)
    const target = await freeName(disk, `${path}.${from}`)
    const file = await disk.open(target, 'create')
    try {
      await file.write(bytes, 0, bytes.length, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.syncDirectory(QUARANTINE_DIRECTORY)
    return target
  } finally {
    await source.close()
  }
}

async function makeQuarantine(disk: Disk): Promise<void> {
  await disk.makeDirectory(QUARANTINE_DIRECTORY)
  await disk.syncDirectory('')
}

async function freeName(disk: Disk, path: string): Promise<string> {
  const base = `${QUARANTINE_DIRECTORY}/${path.replaceAll('/', '-')}`
  for (let count = 0; ; count++) {
    const name = count === 0 ? base : `${base}-${count}`
    if (!(await disk.exists(name))) return name
  }
}

export async function readWhole(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read')
  try {
    return await readRange(file, 0, await file.size())
  } finally {
    await file.close()
  }
}

/**
 * Ends a file at `end` and writes again what was not known to be safe. After a kill that may be in the system's memory only,
 * and after a failed sync the system believes it to be on the disk though it is not.
 */
export async function writeAgain(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  safeTo: number,
  end: number,
): Promise<void> {
  const file = await disk.open(path, 'write')
  try {
    if (end < bytes.length) await file.truncate(end)
    const from = Math.min(safeTo, end)
    if (from < end) await file.write(bytes, from, end, from)
    await file.sync()
  } finally {
    await file.close()
  }
}
