// What the system was really asked for: the bytes of a message are written, and synced with success by the same call or another, before
// its receipt is given; and the file's own entry in its directory is synced too. A kill cannot show this, as it keeps what was written.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileChildPrograms, type ChildPrograms } from './child-program.js'
import { pathOfCall, readSystemCalls, type SystemCall } from './system-calls.js'

const TRACED = 'openat,write,pwrite64,pwritev,writev,fdatasync,fsync,rename,renameat2'
const RECEIPTS = 30

/** Why the test cannot be done here; undefined: it can. */
function findObstacle(): string | undefined {
  const trial = spawnSync('strace', ['-f', '-o', '/dev/null', process.execPath, '--version'])
  if (trial.error !== undefined) return 'strace is not installed'
  return trial.status === 0 ? undefined : `strace may not trace here: ${trial.stderr.toString()}`
}

const obstacle = findObstacle()
let programs: ChildPrograms
let directory: string
let calls: SystemCall[]

async function trace(): Promise<SystemCall[]> {
  const output = join(directory, 'trace')
  const program = programs.pathOf('system-calls-child')
  const child = spawn(
    'strace',
    ['-f', '-y', '-s', '100000', '-e', `trace=${TRACED}`, '-o', output].concat([
      process.execPath,
      program,
      join(directory, 'data'),
    ]),
    // With a ring the kernel does what was asked for, and a trace shows nothing of it.
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, UV_USE_IO_URING: '0' } },
  )
  const [code] = (await once(child, 'exit')) as [number]
  expect(code).toBe(0)
  return readSystemCalls(await readFile(output, 'utf8'))
}

describe.skipIf(obstacle !== undefined)(
  `the order of system calls${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`,
  () => {
    beforeAll(async () => {
      programs = await compileChildPrograms()
      directory = await mkdtemp(join(tmpdir(), 'fanfare-calls-'))
      calls = await trace()
    }, 60_000)

    afterAll(async () => {
      await programs.remove()
      await rm(directory, { recursive: true })
    })

    const receipts = (): { readonly marker: string; readonly beganAt: number }[] =>
      calls.flatMap(({ name, text, beganAt }) => {
        const marker = name === 'write' ? /"receipt of (marker-[^;]*;)/.exec(text)?.[1] : undefined
        return marker === undefined ? [] : [{ marker, beganAt }]
      })

    /** The successful sync of `path` that covers what had ended before `after`, and that ended before `before`. */
    const findSync = (path: string, after: number, before: number): SystemCall | undefined =>
      calls.find(
        (call) =>
          (call.name === 'fdatasync' || call.name === 'fsync') &&
          call.result === '0' &&
          pathOfCall(call) === path &&
          call.beganAt > after &&
          call.endedAt < before,
      )

    /** Whether the file was opened so that the system syncs each write before it returns. */
    const isSyncedWrite = ({ text, result, beganAt }: SystemCall): boolean => {
      const descriptor = /^\d+/.exec(text)![0]
      const opened = calls.findLast(
        (call) =>
          call.name === 'openat' &&
          call.endedAt < beganAt &&
          call.result.startsWith(`${descriptor}<`),
      )
      return opened?.text.includes('O_DSYNC') === true && Number(result) > 0
    }

    const isSafe = (write: SystemCall, before: number): boolean =>
      isSyncedWrite(write) || findSync(pathOfCall(write)!, write.endedAt, before) !== undefined

    const writesOf = (marker: string, before: number): SystemCall[] =>
      calls.filter(
        (call) =>
          (call.name.startsWith('pwrite') || call.name.startsWith('write')) &&
          call.text.includes(marker) &&
          !call.text.includes('receipt of') &&
          call.endedAt < before,
      )

    it('writes and syncs the bytes of a message before its receipt', () => {
      expect(receipts()).toHaveLength(RECEIPTS)
      const places = new Set<string>()
      for (const { marker, beganAt } of receipts()) {
        const synced = writesOf(marker, beganAt).filter((write) => isSafe(write, beganAt))
        expect(synced, marker).not.toEqual([])
        for (const write of synced) places.add(pathOfCall(write)!.split('/').at(-1)!.split('.')[1]!)
      }
      expect([...places].sort()).toEqual(['journal', 'segment'])
    })

    it('syncs the directory in which the file of a message was made before its receipt', () => {
      for (const { marker, beganAt } of receipts()) {
        const isEntered = writesOf(marker, beganAt).some((write) => {
          const path = pathOfCall(write)!
          if (!isSafe(write, beganAt)) return false
          const made = calls.filter(({ name, text, result, endedAt }) => {
            const names = name === 'openat' ? text.includes('O_CREAT') : name.startsWith('rename')
            return names && endedAt < beganAt && `${text} ${result}`.includes(path)
          })
          return made.every(({ endedAt }) => findSync(dirname(path), endedAt, beganAt))
        })
        expect(isEntered, marker).toBe(true)
      }
    })
  },
)
