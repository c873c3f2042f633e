// One condition on one value, in the form that is asked for each message. What kind of value it holds for is part of it: nothing
// is converted.
import { isInBlock, type AddressBlock } from './address-block.js'
import { foldCase } from './fold-case.js'
import { matchesWildcard, type Wildcard } from './wildcard.js'

/** What JSON has besides objects and lists. */
export type Scalar = string | number | boolean | null

export type Test =
  | { readonly type: 'any' }
  | { readonly type: 'prefix' | 'suffix'; readonly text: string }
  /** `text` is folded. */
  | { readonly type: 'folded' | 'folded-prefix' | 'folded-suffix'; readonly text: string }
  | { readonly type: 'wildcard'; readonly pieces: Wildcard }
  /** Between the bounds; `includesLow`: the bound itself belongs to it. */
  | {
      readonly type: 'range'
      readonly low: number
      readonly includesLow: boolean
      readonly high: number
      readonly includesHigh: boolean
    }
  | { readonly type: 'block'; readonly block: AddressBlock }
  /** Every value, of whatever kind, for which none of these hold. */
  | {
      readonly type: 'none-of'
      readonly values: ReadonlySet<Scalar>
      readonly tests: readonly Test[]
    }

export function holds(test: Test, value: Scalar): boolean {
  switch (test.type) {
    case 'any':
      return true
    case 'none-of':
      return !test.values.has(value) && !test.tests.some((each) => holds(each, value))
    case 'range':
      return typeof value === 'number' && isBetween(test, value)
    default:
      return typeof value === 'string' && holdsForText(test, value)
  }
}

function isBetween(range: Extract<Test, { type: 'range' }>, value: number): boolean {
  const isAbove = range.includesLow ? value >= range.low : value > range.low
  return isAbove && (range.includesHigh ? value <= range.high : value < range.high)
}

function holdsForText(
  test: Exclude<Test, { type: 'any' | 'none-of' | 'range' }>,
  text: string,
): boolean {
  switch (test.type) {
    case 'prefix':
      return text.startsWith(test.text)
    case 'suffix':
      return text.endsWith(test.text)
    case 'folded':
      return foldCase(text) === test.text
    case 'folded-prefix':
      return foldCase(text).startsWith(test.text)
    case 'folded-suffix':
      return foldCase(text).endsWith(test.text)
    case 'wildcard':
      return matchesWildcard(test.pieces, text)
    case 'block':
      return isInBlock(test.block, text)
  }
}
