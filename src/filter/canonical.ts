// One form for patterns that say the same in another order: names sorted, conditions sorted and each once. Filters are compared,
// stored and shared by it. Patterns that happen to mean the same in other words stay different.
import { OR, type FilterPattern } from './pattern.js'

/** The canonical form of a valid pattern, a copy. */
export function toCanonical(pattern: FilterPattern): FilterPattern {
  return JSON.parse(canonicalFields(pattern as Fields)) as FilterPattern
}

type Fields = Readonly<Record<string, unknown>>

/** As JSON: there every name is a field, `__proto__` too. */
function canonicalFields(fields: Fields): string {
  const members = Object.keys(fields)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalMember(name, fields[name])}`)
  return `{${members.join(',')}}`
}

function canonicalMember(name: string, member: unknown): string {
  if (!Array.isArray(member)) return canonicalFields(member as Fields)
  if (name === OR) return toList(member.map((each) => canonicalFields(each as Fields)).sort())
  return toList(sortedOnce(member.map(canonicalCondition)))
}

function canonicalCondition(condition: unknown): string {
  if (typeof condition !== 'object' || condition === null) return JSON.stringify(condition)
  const [[operator, operand]] = Object.entries(condition) as [[string, unknown]]
  const shown = operator === 'anything-but' ? canonicalDenial(operand) : JSON.stringify(operand)
  return `{${JSON.stringify(operator)}:${shown}}`
}

function canonicalDenial(denied: unknown): string {
  if (Array.isArray(denied)) return toList(sortedOnce(denied.map((each) => JSON.stringify(each))))
  if (typeof denied !== 'object' || denied === null) return JSON.stringify(denied)
  const [[operator, texts]] = Object.entries(denied) as [[string, unknown]]
  return `{${JSON.stringify(operator)}:${canonicalDenial(texts)}}`
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}

function toList(texts: readonly string[]): string {
  return `[${texts.join(',')}]`
}
