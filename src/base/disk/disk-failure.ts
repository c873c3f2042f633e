// How failures of the operating system's file calls become the two codes that a Disk may fail with.
import { FanfareError } from '../errors.js'

/** What the system says when there is no room, or none left for this user. */
const FULL = new Set<unknown>(['ENOSPC', 'EDQUOT'])

/** The code of a system error ('ENOENT'), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** DISK_FULL (retryable) or DISK_FAILED with `{ path, operation }` as details and `cause`. */
export function diskFailure(operation: string, path: string, cause: unknown): FanfareError {
  const isFull = FULL.has(systemCode(cause))
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new FanfareError(
    isFull ? 'DISK_FULL' : 'DISK_FAILED',
    `cannot ${operation} '${path}': ${reason}`,
    { cause, details: { path, operation }, retryable: isFull },
  )
}
