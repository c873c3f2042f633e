// What opening may find after a process was killed, or the power was lost, and what it may not.
import type { RecoveryFinding } from '../../src/log/index.js'

/** Tails may be torn, and files half made; damage in the middle is damage that nobody did. */
export function isDamage({ kind }: RecoveryFinding): boolean {
  return kind === 'damaged-block' || kind === 'damaged-index'
}
