// What opening may find after a process was killed, or the power was lost, and what it may not.
import type { RecoveryFinding } from '../../src/log/index.js'

/**
 * The last batch may be torn and a stop may be unclean; a loss of power may leave a segment that was never safe. Anything else is
 * damage that nobody did.
 */
export function isDamage({ kind }: RecoveryFinding, afterPowerLoss = false): boolean {
  if (kind === 'quarantined') return !afterPowerLoss
  return kind !== 'torn-tail' && kind !== 'unclean-stop'
}
