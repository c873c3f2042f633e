// What every engine may rely on besides valid topics and patterns: checked once, above the contract.
import { FanfareError } from '../base/index.js'

/** A group's name travels as one word of a protocol line. Throws OPTION_INVALID for anything else. */
export function assertGroup(group: unknown): void {
  if (typeof group === 'string' && group !== '' && !/[\s\p{Cc}]|\p{Surrogate}/u.test(group)) return
  throw new FanfareError(
    'OPTION_INVALID',
    `group must be a name without white space, not ${JSON.stringify(group)}`,
    { details: { group } },
  )
}
