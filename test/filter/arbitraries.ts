// Random patterns and values over so few names and texts that they often have to do with each other.
import fc from 'fast-check'
import { FILTER_LIMITS, type Condition, type FieldPattern } from '../../src/filter/index.js'

const names = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor')
const texts = fc.constantFrom('', 'x', 'X', 'xy', 'yx', 'xyx', 'x*', '*', '\\')
const numbers = fc.constantFrom(-1, -0, 0, 0.5, 1, 2, 1e20)
const exactNumbers = fc.constantFrom(-1, -0, 0, 0.5, 1, 2)
const fullTexts = texts.filter((text) => text !== '')
const wildcards = fc.constantFrom('', '*', 'x*', '*x', 'x*x', '*y*', '\\*', '\\\\', 'x\\*', '*\\*')
const oneOrMore = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> =>
  fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }))

const ranges = fc
  .tuple(numbers, numbers, fc.constantFrom('>', '>='), fc.constantFrom('<', '<='))
  .filter(([low, high]) => low < high)
  .map(([low, high, above, below]) => [above, low, below, high])
const comparisons = fc.oneof(
  fc.tuple(fc.constantFrom('<', '<=', '>', '>='), numbers),
  fc.tuple(fc.constant('='), exactNumbers),
  ranges,
)

const ignoringCase = texts.map((text) => ({ 'equals-ignore-case': text }))
const denials = fc.oneof(
  oneOrMore(texts),
  oneOrMore(exactNumbers),
  oneOrMore(fullTexts).map((prefix) => ({ prefix })),
  oneOrMore(fullTexts).map((suffix) => ({ suffix })),
  oneOrMore(texts).map((text) => ({ 'equals-ignore-case': text })),
  oneOrMore(wildcards).map((wildcard) => ({ wildcard })),
)

export const conditions = fc.oneof(
  texts,
  exactNumbers,
  fc.constantFrom(true, false, null),
  fc.boolean().map((exists) => ({ exists })),
  texts.map((exactly) => ({ exactly })),
  fc.oneof(texts, ignoringCase).map((prefix) => ({ prefix })),
  fc.oneof(texts, ignoringCase).map((suffix) => ({ suffix })),
  ignoringCase,
  wildcards.map((wildcard) => ({ wildcard })),
  comparisons.map((numeric) => ({ numeric })),
  denials.map((denied) => ({ 'anything-but': denied })),
) as fc.Arbitrary<Condition>

const lists = fc.array(conditions, { minLength: 1, maxLength: 3 })

/** Patterns whose fields are nested so deeply at most. */
function patternsWithin(depth: number): fc.Arbitrary<FieldPattern> {
  const inner = depth === 0 ? undefined : patternsWithin(depth - 1)
  const member = inner === undefined ? lists : fc.oneof(lists, inner)
  const plain = dictionaryOf<readonly Condition[] | FieldPattern>(member)
  if (inner === undefined) return plain
  const alternatives = fc.array(inner, { minLength: 2, maxLength: 3 })
  const either = fc.tuple(alternatives, dictionaryOf(member, 0))
  return fc.oneof(
    { weight: 3, arbitrary: plain },
    { weight: 1, arbitrary: either.map(([$or, beside]) => ({ ...beside, $or })) },
  )
}

/** Patterns over data that filters take, and that a model which multiplies everything out can be asked about. */
export const fieldPatterns: fc.Arbitrary<FieldPattern> = patternsWithin(2).filter(
  (pattern) =>
    countProducts(pattern, () => 1) <= FILTER_LIMITS.alternatives &&
    countProducts(pattern, ({ length }) => length) <= MOST_PRODUCTS,
)

const MOST_PRODUCTS = 500

const scalars = fc.oneof(texts, numbers, fc.constantFrom(true, false, null))

/** Values as JSON has them. */
export const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    dictionaryOf(tie('value'), 0),
  ),
})).value

/** A value's names are its own, `__proto__` too. */
function dictionaryOf<T>(member: fc.Arbitrary<T>, minKeys = 1): fc.Arbitrary<Record<string, T>> {
  return fc
    .uniqueArray(fc.tuple(names, member), {
      minLength: minKeys,
      maxLength: 3,
      selector: ([name]) => name,
    })
    .map((entries) => Object.fromEntries(entries))
}

/** How many there are when every `$or` is multiplied out, and every list for so many as it counts. */
function countProducts(
  pattern: FieldPattern | readonly Condition[],
  countList: (list: readonly Condition[]) => number,
): number {
  if (Array.isArray(pattern)) return countList(pattern as readonly Condition[])
  return Object.entries(pattern as FieldPattern).reduce((product, [name, member]) => {
    if (name !== '$or') return product * countProducts(member as FieldPattern, countList)
    const branches = (member as FieldPattern[]).map((each) => countProducts(each, countList))
    return product * branches.reduce((sum, each) => sum + each, 0)
  }, 1)
}
