// Open files, bounded: those used last stay open, so that ten thousand quiet logs hold no descriptor.
import type { Disk, DiskFile } from '../base/index.js'

const DEFAULT_LIMIT = 128

type PoolMode = 'read' | 'write' | 'durable'

interface OpenFile {
  readonly opening: Promise<DiskFile>
  users: number
  isForgotten: boolean
}

export class FilePool {
  readonly disk: Disk
  readonly #limit: number
  /** In the order of their last use. */
  readonly #files = new Map<string, OpenFile>()

  constructor(disk: Disk, limit = DEFAULT_LIMIT) {
    this.disk = disk
    this.#limit = limit
  }

  /** Calls `use` with the open file. */
  async use<T>(path: string, mode: PoolMode, use: (file: DiskFile) => Promise<T>): Promise<T> {
    const key = keyOf(path, mode)
    let open = this.#files.get(key)
    if (open === undefined) {
      open = { opening: this.disk.open(path, mode), users: 0, isForgotten: false }
      this.#shrink()
    } else {
      this.#files.delete(key)
    }
    this.#files.set(key, open)
    open.users += 1
    try {
      return await use(await open.opening)
    } catch (error) {
      // Whatever went wrong, the next user gets a descriptor of its own.
      if (this.#files.get(key) === open) this.#files.delete(key)
      open.isForgotten = true
      throw error
    } finally {
      open.users -= 1
      if (open.isForgotten && open.users === 0) closeQuietly(open)
    }
  }

  /** Closes the file's descriptors, those in use when they are given back: it was replaced or removed. */
  forget(path: string): void {
    this.#forget(keyOf(path, 'read'))
    this.#forget(keyOf(path, 'write'))
    this.#forget(keyOf(path, 'durable'))
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()]
    this.#files.clear()
    for (const { opening } of files)
      await opening.then((file) => file.close()).catch(() => undefined)
  }

  #forget(key: string): void {
    const open = this.#files.get(key)
    if (open === undefined) return
    this.#files.delete(key)
    open.isForgotten = true
    if (open.users === 0) closeQuietly(open)
  }

  #shrink(): void {
    if (this.#files.size < this.#limit) return
    for (const [key, { users }] of this.#files) {
      if (users > 0) continue
      this.#forget(key)
      return
    }
  }
}

function keyOf(path: string, mode: PoolMode): string {
  return `${mode} ${path}`
}

function closeQuietly({ opening }: OpenFile): void {
  opening.then((file) => file.close()).catch(() => undefined)
}
