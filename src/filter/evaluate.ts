// Whether a value is as a tree of conditions says: the plain evaluator, over values that are at hand.
//
// LAW
// Elements   Lists are looked through, however they are nested: of each list one element is found for which everything holds that
//            the tree says of it.
// Absence    `exists: false` holds where there is no value: nothing, an object, an empty list. Beside conditions that need a value
//            it is said of the element which they have found; alone, of every element.
// As JSON    A value that was not parsed counts as what JSON.stringify would make of it.
import type { Conditions } from './read-conditions.js'
import type { PathNode } from './read-pattern.js'
import { holds, type Scalar } from './test-of-value.js'

/** Ordered by strength. Absence: it holds, and by absence only. */
const NO = 0
const BY_ABSENCE = 1
const YES = 2
/** Lists nested so deeply that they are not looked through: the whole does not hold. */
const TOO_DEEP = 3

type Outcome = typeof NO | typeof BY_ABSENCE | typeof YES | typeof TOO_DEEP

/** Lists directly within lists. */
const MOST_NESTED_LISTS = 64

export function isSatisfied(node: PathNode, value: unknown): boolean {
  const outcome = evaluate(node, asJson(value, ''), 0)
  return outcome === YES || outcome === BY_ABSENCE
}

function evaluate(node: PathNode, value: unknown, nesting: number): Outcome {
  if (Array.isArray(value)) return evaluateList(node, value, nesting)
  const isObject = typeof value === 'object' && value !== null
  let strongest: Outcome = BY_ABSENCE
  for (const conditions of node.conditions) {
    if (isObject || value === undefined) {
      if (!conditions.allowsAbsence) return NO
    } else if (isOneHolding(conditions, value as Scalar)) strongest = YES
    else return NO
  }
  for (const [fieldName, field] of node.fields) {
    const member = isObject ? memberOf(value, fieldName) : undefined
    const outcome = evaluate(field, asJson(member, fieldName), 0)
    if (outcome === NO || outcome === TOO_DEEP) return outcome
    if (outcome === YES) strongest = YES
  }
  return strongest
}

function evaluateList(node: PathNode, list: readonly unknown[], nesting: number): Outcome {
  if (nesting === MOST_NESTED_LISTS) return TOO_DEEP
  if (list.length === 0) return evaluate(node, undefined, 0)
  let isAbsentFromAll = true
  for (let i = 0; i < list.length; i++) {
    // JSON writes null where an element is nothing.
    const outcome = evaluate(node, asJson(list[i], String(i)) ?? null, nesting + 1)
    if (outcome === YES || outcome === TOO_DEEP) return outcome
    if (outcome === NO) isAbsentFromAll = false
  }
  return isAbsentFromAll ? BY_ABSENCE : NO
}

function isOneHolding({ values, tests }: Conditions, value: Scalar): boolean {
  if (values.has(value)) return true
  for (const test of tests) if (holds(test, value)) return true
  return false
}

/** What JSON shows: an object's own fields, and nothing inherited. */
function memberOf(object: object, name: string): unknown {
  return Object.prototype.propertyIsEnumerable.call(object, name)
    ? (object as Readonly<Record<string, unknown>>)[name]
    : undefined
}

/** What JSON.stringify makes of a member, its own members aside. */
function asJson(given: unknown, name: string): unknown {
  switch (typeof given) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return given
    case 'number':
      return Number.isFinite(given) ? given : null
    case 'object':
      return given === null ? null : objectAsJson(given, name)
    default:
      return undefined
  }
}

function objectAsJson(object: object, name: string): unknown {
  const { toJSON } = object as { toJSON?: unknown }
  if (typeof toJSON === 'function') {
    const made = (toJSON as (name: string) => unknown).call(object, name)
    // Once, as JSON does; a result that has the method again is taken as it is.
    return typeof made === 'object' && made !== null ? unboxed(made) : asJson(made, name)
  }
  return unboxed(object)
}

function unboxed(object: object): unknown {
  if (object instanceof String || object instanceof Number || object instanceof Boolean) {
    return asJson(object.valueOf(), '')
  }
  return object
}
