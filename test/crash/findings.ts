// What opening may find after a process was killed, or the power was lost, and what it may not.
import type { RecoveryFinding } from '../../src/log/index.js'

/** The last batch may be torn and a stop may be unclean; anything else is damage that nobody did. */
export function isDamage({ kind }: RecoveryFinding): boolean {
  return kind !== 'torn-tail' && kind !== 'unclean-stop'
}
