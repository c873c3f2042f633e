// The lock between processes, with real ones: held, released, left by a dead owner, and fought for. Needs the built package,
// which the child processes run.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type * as fileSystem from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'
import { lockDirectory, type DirectoryLock } from '../../src/base/disk/index.js'

/** What happens before a hard link is made; a test puts its own in place. */
const disk = vi.hoisted(() => ({ beforeLink: async (_to: string): Promise<void> => {} }))

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof fileSystem>()
  const link = async (from: string, to: string): Promise<void> => {
    await disk.beforeLink(to)
    await original.link(from, to)
  }
  return { ...original, link }
})

const builtBase = fileURLToPath(new URL('../../dist/base/disk/index.js', import.meta.url))

/** Says on one line what came of it, and holds the lock until its input ends. */
const childProgram = `
  import { lockDirectory } from ${JSON.stringify(builtBase)}
  try {
    const lock = await lockDirectory(process.argv[1], { waitMs: Number(process.argv[2]) })
    console.log('taken')
    process.stdin.resume()
    process.stdin.on('end', () => lock.release())
  } catch (error) {
    console.log(error.code)
  }
`

let directory = ''
let lockFile = ''
const children: ChildProcess[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fanfare-lock-'))
  lockFile = join(directory, 'fanfare.lock')
  disk.beforeLink = () => Promise.resolve()
})

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  await rm(directory, { recursive: true })
})

async function startChild(waitMs = 0): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', childProgram, directory, String(waitMs)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  children.push(child)
  const [said] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, said: said.toString().trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Lets time pass until `promise` is settled. */
async function passTime<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const settled = (): void => void (isSettled = true)
  promise.then(settled, settled)
  while (!isSettled) {
    await turn()
    clock.advance(1)
  }
  return promise
}

interface LockContent {
  processId: number
  host: string
  processStart?: string
  sinceMs: number
  token: string
}

async function writeLock(content: Partial<LockContent>, path = lockFile): Promise<string> {
  const owner = { processId: process.pid, host: hostname(), sinceMs: 0, token: 'T', ...content }
  const text = JSON.stringify(owner)
  await writeFile(path, text)
  return text
}

async function endedProcessId(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid!
}

describe('lockDirectory', () => {
  it('names the owner in a file until it is released, and leaves nothing', async () => {
    const clock = new VirtualClock()
    const lock = await lockDirectory(directory, { clock })
    expect(await readdir(directory)).toEqual(['fanfare.lock'])
    expect(JSON.parse(await readFile(lockFile, 'utf8'))).toMatchObject({
      processId: process.pid,
      host: hostname(),
      sinceMs: clock.nowMs(),
    })
    await Promise.all([lock.release(), lock.release()])
    expect(await readdir(directory)).toEqual([])
  })

  it('refuses the same directory twice in one process, and takes it when it is free', async () => {
    const clock = new VirtualClock()
    const lock = await lockDirectory(directory, { clock })
    await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
      retryable: true,
      details: {
        directory,
        lockFile,
        processId: process.pid,
        host: hostname(),
        since: new Date(clock.nowMs()).toISOString(),
      },
    })
    await lock.release()
    await (await lockDirectory(directory, { waitMs: 0 })).release()
  })

  it('waits for an owner that leaves in time', async () => {
    const clock = new VirtualClock()
    const first = await lockDirectory(directory)
    const second = lockDirectory(directory, { clock })
    clock.startTimer(500, () => void first.release())
    await (await passTime(clock, second)).release()
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(500)
  })

  it('waits 2 s for one that stays', async () => {
    const clock = new VirtualClock()
    const first = await lockDirectory(directory)
    await expect(passTime(clock, lockDirectory(directory, { clock }))).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
    })
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(2000)
    await first.release()
  })

  it('is refused while another process has it, and takes it over when that was killed', async () => {
    const { child, said } = await startChild()
    expect(said).toBe('taken')
    await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
      details: { processId: child.pid },
    })
    await kill(child)
    await (await lockDirectory(directory, { waitMs: 0 })).release()
    expect(await readdir(directory)).toEqual([])
  })

  it('gets it from a process that releases it on its way out', async () => {
    const { child } = await startChild()
    const next = lockDirectory(directory, { waitMs: 15_000 })
    child.stdin!.end()
    await (await next).release()
  })

  it('takes over from a process whose id was given out again', async () => {
    if (process.platform !== 'linux') return
    await writeLock({ processStart: 'another boot/1' })
    await (await lockDirectory(directory, { waitMs: 0 })).release()
  })

  it('trusts the process id alone where the owner did not know its start', async () => {
    await writeLock({})
    await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
    })
    await writeLock({ processId: await endedProcessId() })
    await (await lockDirectory(directory, { waitMs: 0 })).release()
  })

  it('never breaks the lock of another host, or one that names nobody, and says what to remove', async () => {
    const foreign = await writeLock({ host: 'elsewhere.example', processId: 2 ** 30 })
    for (const text of [foreign, '', '{"processId":', 'null', '{"processId":1}']) {
      await writeFile(lockFile, text)
      await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toSatisfy(
        (error: Error & { code: string; retryable: boolean }) =>
          error.code === 'DIRECTORY_LOCKED' && !error.retryable && error.message.includes(lockFile),
      )
      expect(await readFile(lockFile, 'utf8')).toBe(text)
    }
  })

  it('takes over also when earlier takers died on the way, and clears up behind them', async () => {
    const processId = await endedProcessId()
    await writeLock({ processId, token: 'T1' })
    await writeLock({ processId, token: 'T2' }, `${lockFile}.T1`)
    await writeLock({ processId, token: 'T3' }, `${lockFile}.T0`)
    await writeLock({ processId, token: 'T4' }, `${lockFile}.claim-T4`)
    const lock = await lockDirectory(directory, { waitMs: 0 })
    expect(await readdir(directory)).toEqual(['fanfare.lock'])
    await lock.release()
  })

  it("leaves a dead owner's lock to the taker that is at it already", async () => {
    await writeLock({ processId: await endedProcessId() })
    await writeLock({ token: 'T2' }, `${lockFile}.T`)
    await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
    })
  })

  it('steps back when another taker was quicker after both had found the owner dead', async () => {
    await writeLock({ processId: await endedProcessId() })
    let quicker: DirectoryLock | undefined
    disk.beforeLink = async (to) => {
      if (to !== `${lockFile}.T`) return
      disk.beforeLink = () => Promise.resolve()
      quicker = await lockDirectory(directory, { waitMs: 0 })
    }
    await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
    })
    expect(await readdir(directory)).toEqual(['fanfare.lock'])
    await quicker!.release()
    expect(await readdir(directory)).toEqual([])
  })

  it('gives a dead lock to one of many takers at a time', async () => {
    const processId = await endedProcessId()
    let holders = 0
    let most = 0
    for (let round = 0; round < 20; round++) {
      await writeLock({ processId, token: `T${round}` })
      const takers = Array.from({ length: 6 }, async () => {
        let lock: DirectoryLock
        try {
          lock = await lockDirectory(directory, { waitMs: 0 })
        } catch (error) {
          expect(error).toMatchObject({ code: 'DIRECTORY_LOCKED' })
          return 0
        }
        holders += 1
        most = Math.max(most, holders)
        await turn()
        holders -= 1
        await lock.release()
        return 1
      })
      const taken: number[] = await Promise.all(takers)
      expect(taken.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(1)
    }
    expect(most).toBe(1)
  })

  it('gives a dead lock to one of several processes', async () => {
    await writeLock({ processId: await endedProcessId() })
    const said = await Promise.all([1, 2, 3, 4].map(async () => (await startChild()).said))
    expect(said.sort()).toEqual([...Array<string>(3).fill('DIRECTORY_LOCKED'), 'taken'])
  })

  it('does the same on a disk without hard links', async () => {
    let asked = 0
    disk.beforeLink = () => {
      asked += 1
      return Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }))
    }
    const lock = await lockDirectory(directory)
    await expect(lockDirectory(directory, { waitMs: 0 })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
      details: { processId: process.pid },
    })
    await lock.release()
    await writeLock({ processId: await endedProcessId() })
    await (await lockDirectory(directory, { waitMs: 0 })).release()
    expect(await readdir(directory)).toEqual([])
    expect(asked).toBeGreaterThan(3)
  })

  it('leaves a lock alone that somebody else took meanwhile', async () => {
    const lock = await lockDirectory(directory)
    const text = await writeLock({ token: 'forced' })
    await lock.release()
    expect(await readFile(lockFile, 'utf8')).toBe(text)
  })

  it('fails where there is no directory', async () => {
    await expect(lockDirectory(join(directory, 'absent'))).rejects.toMatchObject({
      code: 'DISK_FAILED',
    })
  })
})
