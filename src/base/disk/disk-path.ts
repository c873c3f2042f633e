// The paths that a Disk takes: a grammar so narrow that no path leaves the root and every file system has the names.
import { assert } from '../errors.js'

const PART = /^[A-Za-z0-9_%-](?:[A-Za-z0-9_%.-]{0,253}[A-Za-z0-9_%-])?$/

/** Throws INTERNAL for a path outside the grammar of disk.ts: the log makes its names itself. */
export function checkDiskPath(path: string): void {
  assert(
    path.split('/').every((part) => PART.test(part)),
    `'${path}' is no path of a disk`,
  )
}

/** As `checkDiskPath`, and '' is the root. */
export function checkDiskDirectory(directory: string): void {
  if (directory !== '') checkDiskPath(directory)
}
