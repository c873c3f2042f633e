// Reads a list of conditions. FILTER_INVALID for everything that could never hold, or would hold for what nobody meant.
import { findNearest } from '../base/index.js'
import { readAddressBlock } from './address-block.js'
import { filterInvalid, inField, inList, show, type PatternPath } from './filter-invalid.js'
import { foldCase } from './fold-case.js'
import { FILTER_LIMITS } from './pattern.js'
import type { Scalar, Test } from './test-of-value.js'
import { readWildcard } from './wildcard.js'

/** A list of conditions, one of which must hold. */
export interface Conditions {
  readonly values: ReadonlySet<Scalar>
  readonly tests: readonly Test[]
  /** Holds where there is no value. */
  readonly allowsAbsence: boolean
}

interface Draft {
  readonly values: Set<Scalar>
  readonly tests: Test[]
  allowsAbsence: boolean
}

/** `isText`: the values are texts, and a condition on anything else is a mistake. */
export function readConditions(
  list: readonly unknown[],
  path: PatternPath,
  isText: boolean,
): Conditions {
  const { conditionsPerList } = FILTER_LIMITS
  if (list.length === 0) throw filterInvalid(path, 'an empty list, which nothing matches')
  if (list.length > conditionsPerList) {
    throw filterInvalid(path, `${list.length} conditions, and ${conditionsPerList} are the most`)
  }
  const draft: Draft = { values: new Set(), tests: [], allowsAbsence: false }
  // By place: a hole in a list is no condition either.
  for (let i = 0; i < list.length; i++) readCondition(draft, list[i], inList(path, i), isText)
  return draft
}

function readCondition(draft: Draft, condition: unknown, path: PatternPath, isText: boolean): void {
  if (isPlainObject(condition)) readOperation(draft, condition, path, isText)
  else draft.values.add(readScalar(condition, path, isText))
}

function readScalar(value: unknown, path: PatternPath, isText: boolean): Scalar {
  if (typeof value === 'string') return readText(value, path)
  if (isText) throw filterInvalid(path, `a text is compared here, and ${show(value)} is none`)
  if (typeof value === 'number') return readExactNumber(value, path)
  if (typeof value === 'boolean' || value === null) return value
  throw filterInvalid(
    path,
    `a condition is a value or an object with an operator, not ${show(value)}`,
  )
}

type ReadOperand = (draft: Draft, operand: unknown, path: PatternPath, isText: boolean) => void

const OPERATORS: Readonly<Record<string, ReadOperand>> = {
  exactly: (draft, operand, path) => draft.values.add(readText(operand, path)),
  exists(draft, operand, path) {
    if (typeof operand !== 'boolean')
      throw filterInvalid(path, `true or false, not ${show(operand)}`)
    if (operand) draft.tests.push({ type: 'any' })
    else draft.allowsAbsence = true
  },
  prefix: (draft, operand, path) => draft.tests.push(readEdge('prefix', operand, path)),
  suffix: (draft, operand, path) => draft.tests.push(readEdge('suffix', operand, path)),
  'equals-ignore-case': (draft, operand, path) => draft.tests.push(readFolded(operand, path)),
  wildcard: (draft, operand, path) => draft.tests.push(readGlob(operand, path)),
  numeric(draft, operand, path, isText) {
    if (isText) throw filterInvalid(path, 'numbers are compared by it, and this is a text')
    draft.tests.push(readRange(operand, path))
  },
  cidr(draft, operand, path) {
    const block = readAddressBlock(readText(operand, path))
    if (block === undefined) {
      throw filterInvalid(path, `a block of addresses such as "10.0.0.0/8", not ${show(operand)}`)
    }
    draft.tests.push({ type: 'block', block })
  },
  'anything-but': (draft, operand, path, isText) =>
    draft.tests.push(readNoneOf(operand, path, isText)),
}

/** What may be denied besides values. */
const DENIABLE: Readonly<Record<string, (text: unknown, path: PatternPath) => Test>> = {
  prefix: (text, path) => ({ type: 'prefix', text: readFilledText(text, path) }),
  suffix: (text, path) => ({ type: 'suffix', text: readFilledText(text, path) }),
  'equals-ignore-case': readFolded,
  wildcard: readGlob,
}

function readOperation(
  draft: Draft,
  operation: Readonly<Record<string, unknown>>,
  path: PatternPath,
  isText: boolean,
): void {
  const [operator, operand] = readSingle(operation, path, OPERATORS)
  OPERATORS[operator]!(draft, operand, inField(path, operator), isText)
}

/** The one operator of an object, and what it is given. */
function readSingle(
  operation: Readonly<Record<string, unknown>>,
  path: PatternPath,
  known: Readonly<Record<string, unknown>>,
): [operator: string, operand: unknown] {
  const [operator, other] = Object.keys(operation)
  if (operator === undefined) throw filterInvalid(path, 'an operator is missing')
  if (other !== undefined) {
    throw filterInvalid(path, `one operator is allowed, not '${operator}' and '${other}' in one`)
  }
  if (Object.hasOwn(known, operator)) return [operator, operation[operator]]
  const operators = Object.keys(known)
  const meant = findNearest(operator, operators)
  const hint =
    meant === undefined ? `there are ${operators.join(', ')}` : `did you mean '${meant}'?`
  throw filterInvalid(path, `no operator ${show(operator)} here; ${hint}`, {
    operator,
    ...(meant === undefined ? {} : { meant }),
  })
}

function readEdge(type: 'prefix' | 'suffix', operand: unknown, path: PatternPath): Test {
  if (!isPlainObject(operand)) return { type, text: readText(operand, path) }
  const [operator, text] = readSingle(operand, path, { 'equals-ignore-case': true })
  return { type: `folded-${type}`, text: foldCase(readText(text, inField(path, operator))) }
}

function readFolded(operand: unknown, path: PatternPath): Test {
  return { type: 'folded', text: foldCase(readText(operand, path)) }
}

function readGlob(operand: unknown, path: PatternPath): Test {
  const result = readWildcard(readText(operand, path))
  if ('fault' in result) throw filterInvalid(path, result.fault)
  const stars = result.pieces.length - 1
  if (stars > FILTER_LIMITS.stars) {
    throw filterInvalid(path, `${stars} stars, and ${FILTER_LIMITS.stars} are the most`)
  }
  return { type: 'wildcard', pieces: result.pieces }
}

function readNoneOf(operand: unknown, path: PatternPath, isText: boolean): Test {
  if (isPlainObject(operand)) {
    const [operator, texts] = readSingle(operand, path, DENIABLE)
    const inside = inField(path, operator)
    const tests = listOf(texts, inside).map(([text, place]) => DENIABLE[operator]!(text, place))
    return { type: 'none-of', values: new Set(), tests }
  }
  const items = listOf(operand, path)
  const kind = typeof items[0]![0]
  const values = items.map(([value, place]) => {
    if (typeof value === kind && (kind === 'string' || kind === 'number')) {
      return readScalar(value, place, isText)
    }
    throw filterInvalid(place, `texts, or numbers, are denied, not ${show(value)}`)
  })
  return { type: 'none-of', values: new Set(values), tests: [] }
}

/** One or several, each with its place. */
function listOf(given: unknown, path: PatternPath): [item: unknown, path: PatternPath][] {
  if (!Array.isArray(given)) return [[given, path]]
  if (given.length === 0) throw filterInvalid(path, 'an empty list, which denies nothing')
  if (given.length > FILTER_LIMITS.conditionsPerList) {
    throw filterInvalid(path, `more than ${FILTER_LIMITS.conditionsPerList} in a list`)
  }
  return Array.from(given, (item: unknown, i) => [item, inList(path, i)])
}

const LOWER_BOUNDS: readonly unknown[] = ['>', '>=']
const UPPER_BOUNDS: readonly unknown[] = ['<', '<=']

function readRange(operand: unknown, path: PatternPath): Test {
  if (!Array.isArray(operand)) throw filterInvalid(path, COMPARISON_WANTED)
  const [operator, bound, upperOperator, upperBound] = operand as readonly unknown[]
  const isLower = LOWER_BOUNDS.includes(operator)
  const isUpper = UPPER_BOUNDS.includes(operator)
  if (!isLower && !isUpper && operator !== '=') throw filterInvalid(path, COMPARISON_WANTED)
  if (operand.length === 2) {
    const number = operator === '=' ? readExactNumber(bound, path) : readNumber(bound, path)
    return {
      type: 'range',
      low: isUpper ? -Infinity : number,
      includesLow: operator !== '>',
      high: isLower ? Infinity : number,
      includesHigh: operator !== '<',
    }
  }
  if (operand.length !== 4 || !isLower || !UPPER_BOUNDS.includes(upperOperator)) {
    throw filterInvalid(path, COMPARISON_WANTED)
  }
  const low = readNumber(bound, path)
  const high = readNumber(upperBound, path)
  const includesLow = operator === '>='
  const includesHigh = upperOperator === '<='
  if (low > high || (low === high && !(includesLow && includesHigh))) {
    throw filterInvalid(path, `nothing lies between ${low} and ${high}`)
  }
  return { type: 'range', low, includesLow, high, includesHigh }
}

const COMPARISON_WANTED = `a comparison such as [">", 5] or [">=", 5, "<", 9], lower bound first`

function readNumber(value: unknown, path: PatternPath): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw filterInvalid(path, `a number, not ${show(value)}`)
}

/** Beyond 2^53 neighbours become one number when they are read, so that equality would hold for what is not equal. */
function readExactNumber(value: unknown, path: PatternPath): number {
  const number = readNumber(value, path)
  if (!Number.isInteger(number) || Number.isSafeInteger(number)) return number
  throw filterInvalid(
    path,
    `${number} is too large to be compared exactly; send and compare it as a text`,
  )
}

function readText(value: unknown, path: PatternPath): string {
  if (typeof value !== 'string') throw filterInvalid(path, `a text, not ${show(value)}`)
  if (/\p{Surrogate}/u.test(value)) throw filterInvalid(path, 'half of a surrogate pair is no text')
  return value
}

function readFilledText(value: unknown, path: PatternPath): string {
  if (value !== '') return readText(value, path)
  throw filterInvalid(path, 'an empty text, which every text has')
}

/** An object as JSON has it, and none of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
