// One process at a time in a data directory. The lock is a file that names its owner and appears whole (written beside and
// linked), so whoever finds it can tell whether the owner is alive.
//
// A dead owner's lock is taken over by the one who first takes a second lock, named after the dead one's token. Only its
// holder may replace that very lock, and looks again before doing so; as no token comes twice, a taker that was slow
// finds another token there and steps back. The second lock is taken by the same rules, so a taker may die as well.
import type * as fileSystem from 'node:fs/promises'
import { systemClock, type Clock } from '../clock.js'
import { diskFailure, systemCode } from './disk-failure.js'
import { FanfareError } from '../errors.js'
import {
  decodeLockOwner,
  describeOwnProcess,
  encodeLockOwner,
  ownerState,
  type LockOwner,
  type OwnerState,
} from './lock-owner.js'
import { IdentifierSource } from '../random.js'

type FileSystem = typeof fileSystem

/** The lock's file in the directory. */
const LOCK_NAME = 'fanfare.lock'

/** How often a held lock is looked at, in milliseconds. */
const POLL_MS = 25

/** What systems say whose disks know no hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

export interface DirectoryLock {
  /** Gives the directory free; more calls do nothing. */
  release(): Promise<void>
}

export interface DirectoryLockOptions {
  /** How long to wait for an owner that is alive, in milliseconds: a process that restarts; default 2,000. */
  readonly waitMs?: number
  readonly clock?: Clock
}

/** Who is in the way; an owner of undefined wrote something that cannot be read. */
interface Obstacle {
  readonly owner: LockOwner | undefined
  readonly state: OwnerState
  readonly path: string
}

/**
 * Takes the lock of `directory`, which must be there. Throws DIRECTORY_LOCKED, with `{ directory, lockFile, processId, host,
 * since }`, when another broker has it, in this process or any other; DISK_FAILED, DISK_FULL.
 */
export async function lockDirectory(
  directory: string,
  options: DirectoryLockOptions = {},
): Promise<DirectoryLock> {
  const { waitMs = 2000, clock = systemClock } = options
  const [fs, { hostname }, { join }] = await Promise.all([
    import('node:fs/promises'),
    import('node:os'),
    import('node:path'),
  ])
  const path = join(directory, LOCK_NAME)
  const taker = new LockTaker(fs, hostname(), clock)
  const deadlineMs = clock.elapsedMs() + waitMs
  try {
    for (;;) {
      const taken = await taker.take(path)
      if (typeof taken === 'string') {
        // What a dead taker left does no harm, and the next one tries again.
        await taker.sweep(directory, join).catch(() => undefined)
        return new HeldLock(taker, path, taken)
      }
      if (clock.elapsedMs() >= deadlineMs) throw lockedError(directory, path, taken)
      await pause(clock, POLL_MS)
    }
  } catch (error) {
    throw FanfareError.is(error) ? error : diskFailure('lock', directory, error)
  }
}

class HeldLock implements DirectoryLock {
  readonly #taker: LockTaker
  readonly #path: string
  readonly #token: string
  #released: Promise<void> | undefined

  constructor(taker: LockTaker, path: string, token: string) {
    this.#taker = taker
    this.#path = path
    this.#token = token
  }

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    try {
      await this.#taker.leave(this.#path, this.#token)
    } catch (error) {
      throw diskFailure('unlock', this.#path, error)
    }
  }
}

class LockTaker {
  readonly #fs: FileSystem
  readonly #host: string
  readonly #clock: Clock
  readonly #tokens = new IdentifierSource()

  constructor(fs: FileSystem, host: string, clock: Clock) {
    this.#fs = fs
    this.#host = host
    this.#clock = clock
  }

  /** Takes the lock file at `path`, a dead owner's too; the token that it then holds, or who is in the way. */
  async take(path: string): Promise<string | Obstacle> {
    const token = this.#tokens.next()
    const claim = `${path}.claim-${token}`
    await this.#writeClaim(claim, token)
    try {
      for (;;) {
        if (await this.#place(claim, path)) return token
        const obstacle = await this.#inspect(path)
        if (obstacle === undefined) continue
        if (obstacle.state !== 'dead' || obstacle.owner === undefined) return obstacle
        const outcome = await this.#replaceDead(path, claim, obstacle.owner)
        if (outcome === 'replaced') return token
        if (outcome !== 'changed') return outcome
      }
    } finally {
      await this.#fs.rm(claim, { force: true })
    }
  }

  async #replaceDead(
    path: string,
    claim: string,
    dead: LockOwner,
  ): Promise<'replaced' | 'changed' | Obstacle> {
    const right = `${path}.${dead.token}`
    const taken = await this.take(right)
    if (typeof taken !== 'string') return taken
    try {
      if ((await this.#read(path))?.owner?.token !== dead.token) return 'changed'
      await this.#fs.rename(claim, path)
      return 'replaced'
    } finally {
      await this.leave(right, taken)
    }
  }

  /** Removes the lock file, if it is still the one of `token`. */
  async leave(path: string, token: string): Promise<void> {
    if ((await this.#read(path))?.owner?.token === token) await this.#fs.rm(path, { force: true })
  }

  /** Removes what takers left that died on the way; for the holder of the lock only. */
  async sweep(directory: string, join: (directory: string, name: string) => string): Promise<void> {
    for (const name of await this.#fs.readdir(directory)) {
      if (!name.startsWith(`${LOCK_NAME}.`)) continue
      const path = join(directory, name)
      const state = (await this.#inspect(path))?.state
      if (state === 'dead') await this.#fs.rm(path, { force: true })
    }
  }

  /** Writes the lock's content to a file of its own, safe on the disk, so that it appears whole or not at all. */
  async #writeClaim(claim: string, token: string): Promise<void> {
    const owner = await describeOwnProcess(this.#fs, this.#host, this.#clock.nowMs(), token)
    const file = await this.#fs.open(claim, 'wx')
    try {
      await file.writeFile(encodeLockOwner(owner))
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Puts the claim in the lock's place; false when there is a lock already. */
  async #place(claim: string, path: string): Promise<boolean> {
    try {
      await this.#fs.link(claim, path)
      return true
    } catch (error) {
      const code = systemCode(error) ?? ''
      if (code === 'EEXIST') return false
      if (!NO_LINKS.has(code)) throw error
      return this.#copyInto(claim, path)
    }
  }

  /** Where there are no links the file is there before its content; until then nobody can read its owner, and all keep off. */
  async #copyInto(claim: string, path: string): Promise<boolean> {
    const content = await this.#fs.readFile(claim)
    try {
      await this.#fs.writeFile(path, content, { flag: 'wx', flush: true })
      return true
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false
      throw error
    }
  }

  async #inspect(path: string): Promise<Obstacle | undefined> {
    const found = await this.#read(path)
    if (found === undefined) return undefined
    const { owner } = found
    const state = owner === undefined ? 'elsewhere' : await ownerState(this.#fs, owner, this.#host)
    return { owner, state, path }
  }

  async #read(path: string): Promise<{ owner: LockOwner | undefined } | undefined> {
    try {
      return { owner: decodeLockOwner(await this.#fs.readFile(path, 'utf8')) }
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

function lockedError(directory: string, lockFile: string, obstacle: Obstacle): FanfareError {
  const { owner, state, path } = obstacle
  const byHand = `if no broker uses it, remove ${path}`
  if (owner === undefined) {
    return new FanfareError('DIRECTORY_LOCKED', `${path} names no owner; ${byHand}`, {
      details: { directory, lockFile: path },
    })
  }
  const since = new Date(owner.sinceMs).toISOString()
  const isOurs = state === 'alive' && owner.processId === process.pid
  const name = `process ${owner.processId}${isOurs ? ' (this one)' : ''}`
  const who = `${name} on ${owner.host}, since ${since}`
  return new FanfareError(
    'DIRECTORY_LOCKED',
    `${directory} is in use by ${who}${state === 'elsewhere' ? `; ${byHand}` : ''}`,
    {
      details: { directory, lockFile, processId: owner.processId, host: owner.host, since },
      retryable: state === 'alive',
    },
  )
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.startTimer(delayMs, resolve, { keepsProcessAlive: true })
  })
}
