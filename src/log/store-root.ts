// The root of a store's directory: the file that says what the directory is, and the reserve of bytes that is given up when the
// disk is full.
import type { Disk } from '../base/index.js'
import { checkVersion, FORMAT_VERSION } from './file-header.js'

/** The file that says that a directory holds a store. */
export const ROOT_FILE = 'fanfare.json'
const RESERVE_FILE = 'reserve'
const RESERVE_BYTES = 1_048_576

/** Makes the root file when it is not there. Throws FORMAT_TOO_NEW. */
export async function checkRoot(disk: Disk): Promise<void> {
  await disk.makeDirectory('')
  if (await disk.exists(ROOT_FILE)) {
    const file = await disk.open(ROOT_FILE, 'read')
    try {
      const bytes = new Uint8Array(await file.size())
      await file.read(bytes, 0, bytes.length, 0)
      checkVersion(readVersion(bytes))
    } finally {
      await file.close()
    }
    return
  }
  const temporary = `${ROOT_FILE}.new`
  await disk.remove(temporary)
  const file = await disk.open(temporary, 'create')
  try {
    const bytes = new TextEncoder().encode(
      `{ "product": "fanfare", "format": ${FORMAT_VERSION} }\n`,
    )
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, ROOT_FILE)
  await disk.syncDirectory('')
}

/** Every file says its version again, so that a damaged root file hides nothing. */
function readVersion(bytes: Uint8Array): number {
  try {
    const content = JSON.parse(new TextDecoder().decode(bytes)) as { format?: unknown }
    return typeof content.format === 'number' ? content.format : FORMAT_VERSION
  } catch {
    return FORMAT_VERSION
  }
}

/** Room on the disk for the notes and removals that get it out of being full. */
export class DiskReserve {
  readonly #disk: Disk
  #isThere = false

  constructor(disk: Disk) {
    this.#disk = disk
  }

  get isThere(): boolean {
    return this.#isThere
  }

  /** Takes the room, if there is any. */
  async keep(): Promise<void> {
    try {
      if (!(await this.#disk.exists(RESERVE_FILE))) {
        const file = await this.#disk.open(RESERVE_FILE, 'create', 'background')
        try {
          await file.write(new Uint8Array(RESERVE_BYTES), 0, RESERVE_BYTES, 0)
        } finally {
          await file.close()
        }
      }
      this.#isThere = true
    } catch {
      await this.#disk.remove(RESERVE_FILE).catch(() => undefined)
    }
  }

  async giveUp(): Promise<void> {
    if (!this.#isThere) return
    this.#isThere = false
    await this.#disk.remove(RESERVE_FILE).catch(() => undefined)
  }
}
