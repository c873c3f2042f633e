// Reads a pattern, and multiplies its `$or`s out: what remains are alternatives, each a tree of what must hold together. Names
// that several parts of a pattern speak of become one node, so that what is said of a list's elements is said of one element.
import { findNearest } from '../base/index.js'
import { filterInvalid, inField, inList, show, type PatternPath } from './filter-invalid.js'
import { FILTER_LIMITS, OR, PARTS, type Part } from './pattern.js'
import { isPlainObject, readConditions, type Conditions } from './read-conditions.js'

/** What must hold of one value, all of it. */
export interface PathNode {
  readonly conditions: readonly Conditions[]
  readonly fields: ReadonlyMap<string, PathNode>
}

/** One alternative: what must hold of each part of a message. */
export type Alternative = ReadonlyMap<Part, PathNode>

/** A list of conditions and the names that lead to it. */
interface Leaf {
  readonly names: readonly string[]
  readonly conditions: Conditions
}

/** Leaves that must hold together. */
type Conjunction = readonly Leaf[]

/** Throws FILTER_INVALID. `partNames`: what parts are called in messages, where it is something else. */
export function readPattern(
  pattern: unknown,
  partNames: Partial<Record<Part, string>> = {},
): Alternative[] {
  const conjunctions = new PatternReader(partNames).read(pattern)
  const length = JSON.stringify(pattern).length
  if (length > FILTER_LIMITS.length) {
    throw filterInvalid(
      '',
      `${length} characters as JSON, and ${FILTER_LIMITS.length} are the most`,
    )
  }
  return conjunctions.map((leaves) => toTree(leaves).fields as Alternative)
}

class PatternReader {
  readonly #partNames: Partial<Record<Part, string>>
  #leaves = 0

  constructor(partNames: Partial<Record<Part, string>>) {
    this.#partNames = partNames
  }

  read(pattern: unknown): Conjunction[] {
    return this.#fields(pattern, '', [])
  }

  #fields(pattern: unknown, path: PatternPath, names: readonly string[], depth = 1): Conjunction[] {
    const fields = this.#assertFields(pattern, path, depth)
    let found: Conjunction[] = [[]]
    for (const name of Object.keys(fields)) {
      const inside = inField(path, names.length === 0 ? this.#shownName(name) : name)
      const member = fields[name]
      found = multiply(
        found,
        name === OR
          ? this.#alternatives(member, inside, names, depth)
          : this.#field(member, inside, [...names, fieldName(name, names, path)], depth),
        inside,
      )
    }
    return found
  }

  #field(
    member: unknown,
    path: PatternPath,
    names: readonly string[],
    depth: number,
  ): Conjunction[] {
    if (!Array.isArray(member)) {
      assertMayHaveFields(member, path, names)
      return this.#fields(member, path, names, depth + 1)
    }
    if (names.length === 1 && names[0] === 'headers') {
      throw filterInvalid(path, 'headers by their names are wanted, not a list')
    }
    this.#leaves += 1
    if (this.#leaves > FILTER_LIMITS.fields) {
      throw filterInvalid(path, `${FILTER_LIMITS.fields} lists of conditions are the most`)
    }
    return [[{ names, conditions: readConditions(member, path, names[0] !== 'data') }]]
  }

  #alternatives(
    member: unknown,
    path: PatternPath,
    names: readonly string[],
    depth: number,
  ): Conjunction[] {
    if (!Array.isArray(member) || member.length < 2) {
      throw filterInvalid(path, 'a list of two or more patterns is wanted, one of which must hold')
    }
    if (member.length > FILTER_LIMITS.alternatives) throw tooManyAlternatives(path)
    const found = Array.from(member, (each, i) =>
      this.#fields(each, inList(path, i), names, depth + 1),
    ).flat()
    if (found.length > FILTER_LIMITS.alternatives) throw tooManyAlternatives(path)
    return found
  }

  #assertFields(
    pattern: unknown,
    path: PatternPath,
    depth: number,
  ): Readonly<Record<string, unknown>> {
    if (depth > FILTER_LIMITS.depth) {
      throw filterInvalid(path, `deeper than ${FILTER_LIMITS.depth} names within names`)
    }
    if (!isPlainObject(pattern)) {
      const isScalar = path !== '' && (typeof pattern !== 'object' || pattern === null)
      const hint =
        isScalar && pattern !== undefined ? `; conditions stand in a list: [${show(pattern)}]` : ''
      throw filterInvalid(path, `a pattern is wanted, not ${show(pattern)}${hint}`)
    }
    const { length } = Object.keys(pattern)
    if (length === 0) throw filterInvalid(path, 'an empty object says nothing')
    if (length > FILTER_LIMITS.fields) {
      throw filterInvalid(path, `${FILTER_LIMITS.fields} names are the most`)
    }
    return pattern
  }

  #shownName(name: string): string {
    return this.#partNames[name as Part] ?? name
  }
}

/** A field's name as it is looked for: at the top a part of a message, below what is there. */
function fieldName(name: string, names: readonly string[], path: PatternPath): string {
  if (names.length === 1 && names[0] === 'headers') return headerName(name)
  if (names.length > 0 || PARTS.includes(name as Part)) return name
  const meant = findNearest(name, PARTS)
  const hint = meant === undefined ? `there are ${PARTS.join(', ')}` : `did you mean '${meant}'?`
  throw filterInvalid(path, `a message has no ${show(name)}; ${hint}`, {
    name,
    ...(meant === undefined ? {} : { meant }),
  })
}

/** The names of the envelope's headers are found in any case. */
function headerName(name: string): string {
  return /^ce-/i.test(name) ? name.toLowerCase() : name
}

function assertMayHaveFields(member: unknown, path: PatternPath, names: readonly string[]): void {
  const [part] = names
  if (part === 'data' || (part === 'headers' && names.length === 1)) return
  if (isPlainObject(member)) {
    throw filterInvalid(path, 'a text has no fields; conditions stand in a list')
  }
}

/** Every one of `left` together with every one of `right`. */
function multiply(left: Conjunction[], right: Conjunction[], path: PatternPath): Conjunction[] {
  if (left.length * right.length > FILTER_LIMITS.alternatives) throw tooManyAlternatives(path)
  return left.flatMap((one) => right.map((other) => [...one, ...other]))
}

function tooManyAlternatives(path: PatternPath): Error {
  return filterInvalid(
    path,
    `more than ${FILTER_LIMITS.alternatives} alternatives when every '${OR}' is multiplied out`,
  )
}

interface Growing {
  readonly conditions: Conditions[]
  readonly fields: Map<string, Growing>
}

function toTree(leaves: Conjunction): PathNode {
  const root: Growing = { conditions: [], fields: new Map() }
  for (const { names, conditions } of leaves) {
    let node = root
    for (const name of names) {
      let next = node.fields.get(name)
      if (next === undefined) node.fields.set(name, (next = { conditions: [], fields: new Map() }))
      node = next
    }
    node.conditions.push(conditions)
  }
  return root
}
