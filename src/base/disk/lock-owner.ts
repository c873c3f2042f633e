// Who holds a lock file, as written into it, and whether that process is still there. A process id alone would not do: ids
// are given out again, so the process's start is named beside it where the system tells (Linux).
// What this cannot see: a process in another container that was given the same host name looks dead.
import type * as fileSystem from 'node:fs/promises'

type FileSystem = typeof fileSystem

export interface LockOwner {
  readonly processId: number
  readonly host: string
  /** Tells this process from a later one of the same id; undefined where the system does not tell. */
  readonly processStart: string | undefined
  /** When the lock was taken, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Different for each attempt to take a lock; letters and digits. */
  readonly token: string
}

/** 'elsewhere': on another host, so that nobody here can tell. */
export type OwnerState = 'alive' | 'dead' | 'elsewhere'

export async function describeOwnProcess(
  fs: FileSystem,
  host: string,
  sinceMs: number,
  token: string,
): Promise<LockOwner> {
  const processStart = (await observe(fs, process.pid))?.start
  return { processId: process.pid, host, processStart, sinceMs, token }
}

export function encodeLockOwner(owner: LockOwner): string {
  return `${JSON.stringify(owner)}\n`
}

/** The owner that `text` names, or undefined when it is none of ours. */
export function decodeLockOwner(text: string): LockOwner | undefined {
  let value: Partial<Record<keyof LockOwner, unknown>>
  try {
    value = (JSON.parse(text) ?? {}) as typeof value
  } catch {
    return undefined
  }
  const { processId, host, processStart, sinceMs, token } = value
  if (!Number.isSafeInteger(processId) || (processId as number) <= 0) return undefined
  if (typeof host !== 'string' || typeof sinceMs !== 'number') return undefined
  if (typeof token !== 'string' || !/^[A-Za-z0-9]+$/.test(token)) return undefined
  if (processStart !== undefined && typeof processStart !== 'string') return undefined
  return { processId: processId as number, host, processStart, sinceMs, token }
}

export async function ownerState(
  fs: FileSystem,
  owner: LockOwner,
  host: string,
): Promise<OwnerState> {
  if (owner.host !== host) return 'elsewhere'
  if (!isRunning(owner.processId)) return 'dead'
  const found = await observe(fs, owner.processId)
  if (found === undefined || owner.processStart === undefined) return 'alive'
  return found.hasEnded || found.start !== owner.processStart ? 'dead' : 'alive'
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

interface ProcessObservation {
  readonly start: string
  /** Killed, and not yet forgotten because its parent has not asked. */
  readonly hasEnded: boolean
}

/** What Linux tells of a process; undefined where there is no /proc. */
async function observe(fs: FileSystem, processId: number): Promise<ProcessObservation | undefined> {
  try {
    const [status, bootId] = await Promise.all([
      fs.readFile(`/proc/${processId}/stat`, 'utf8'),
      fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    return observationFrom(status, bootId.trim())
  } catch {
    return undefined
  }
}

/** The second field is the program's name in brackets, and may hold anything: the others are counted after its end. */
function observationFrom(status: string, bootId: string): ProcessObservation | undefined {
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  // Ticks since the start of the machine: field 22 of the whole line.
  const startTicks = fields[19]
  if (state === undefined || startTicks === undefined) return undefined
  return { start: `${bootId}/${startTicks}`, hasEnded: state === 'Z' || state === 'X' }
}
