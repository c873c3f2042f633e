// Where a benchmark puts its data: a disk, or the numbers say nothing about one.
import { statfsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

const memoryFileSystems = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
])

/** Says so when `root` lies in memory: a sync costs nothing there. */
export function findMemoryFileSystem(root) {
  return memoryFileSystems.get(statfsSync(root).type)
}

export async function withDirectory(root, work) {
  const directory = await mkdtemp(join(root, 'fanfare-bench-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
