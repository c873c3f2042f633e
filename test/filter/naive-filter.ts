// A model of filters that shares no thought with them: every list of conditions and every `$or` is multiplied out to single
// conditions, then every choice of elements is tried.
interface Single {
  readonly path: readonly string[]
  readonly condition: unknown
}

type Pattern = Readonly<Record<string, unknown>>
type Fields = Readonly<Record<string, unknown>>

/** Whether a value, which JSON must be able to express, is as the pattern over data says. */
export function naivelyHolds(pattern: Pattern | readonly unknown[], value: unknown): boolean {
  const plain = toPlain(value)
  return expand(pattern, []).some((singles) => canChoose(singles, plain))
}

function toPlain(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}

function expand(pattern: Pattern | readonly unknown[], path: readonly string[]): Single[][] {
  if (Array.isArray(pattern)) return pattern.map((condition) => [{ path, condition }])
  let found: Single[][] = [[]]
  for (const [name, member] of Object.entries(pattern)) {
    const further =
      name === '$or'
        ? (member as Pattern[]).flatMap((each) => expand(each, path))
        : expand(member as Pattern, [...path, name])
    found = found.flatMap((singles) => further.map((more) => [...singles, ...more]))
  }
  return found
}

/** Whether elements of the lists can be chosen so that all conditions hold. */
function canChoose(singles: readonly Single[], value: unknown): boolean {
  if (singles.every(({ condition }) => isAbsence(condition))) {
    return singles.every(({ path }) => valuesAt(value, path).length === 0)
  }
  if (Array.isArray(value)) return value.some((element) => canChoose(singles, element))
  const isHere = ({ path }: Single): boolean => path.length === 0
  if (!singles.filter(isHere).every(({ condition }) => holdsFor(condition, value))) return false
  const names = new Set(singles.flatMap(({ path }) => path.slice(0, 1)))
  return [...names].every((name) =>
    canChoose(
      singles
        .filter(({ path }) => path[0] === name)
        .map(({ path, condition }) => ({ path: path.slice(1), condition })),
      memberOf(value, name),
    ),
  )
}

/** Every value at a path, through lists of any depth. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path))
  const [name, ...rest] = path
  if (name !== undefined) return valuesAt(memberOf(value, name), rest)
  return isScalar(value) ? [value] : []
}

function memberOf(value: unknown, name: string): unknown {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isFields && Object.hasOwn(value, name) ? (value as Fields)[name] : undefined
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function isAbsence(condition: unknown): boolean {
  return typeof condition === 'object' && (condition as Fields | null)?.exists === false
}

function holdsFor(condition: unknown, value: unknown): boolean {
  if (isAbsence(condition)) return !isScalar(value)
  if (!isScalar(value)) return false
  if (typeof condition !== 'object' || condition === null) return condition === value
  const [[operator, operand]] = Object.entries(condition) as [[string, unknown]]
  return holdsByOperator(operator, operand, value)
}

function holdsByOperator(operator: string, operand: unknown, value: unknown): boolean {
  switch (operator) {
    case 'exists':
      return true
    case 'exactly':
      return value === operand
    case 'numeric':
      return typeof value === 'number' && isInRange(operand as (string | number)[], value)
    case 'anything-but':
      return !isDenied(operand, value)
    default:
      return typeof value === 'string' && toExpression(operator, operand).test(value)
  }
}

function isDenied(denied: unknown, value: unknown): boolean {
  if (typeof denied !== 'object' || denied === null) return denied === value
  if (Array.isArray(denied)) return denied.includes(value)
  const [[operator, texts]] = Object.entries(denied) as [[string, unknown]]
  return [texts].flat().some((text) => holdsByOperator(operator, text, value))
}

function isInRange(comparison: readonly (string | number)[], value: number): boolean {
  for (let i = 0; i < comparison.length; i += 2) {
    const bound = comparison[i + 1] as number
    const isSo = {
      '=': value === bound,
      '<': value < bound,
      '<=': value <= bound,
      '>': value > bound,
      '>=': value >= bound,
    }[comparison[i] as '=' | '<' | '<=' | '>' | '>=']
    if (!isSo) return false
  }
  return true
}

/** Operators on texts as regular expressions. Case is the engine's own, so it is asked with ASCII only. */
function toExpression(operator: string, operand: unknown): RegExp {
  if (typeof operand === 'object') {
    const inner = (operand as { 'equals-ignore-case': string })['equals-ignore-case']
    return new RegExp(toExpression(operator, inner).source, 'is')
  }
  const text = operand as string
  switch (operator) {
    case 'prefix':
      return new RegExp(`^${literally(text)}`, 's')
    case 'suffix':
      return new RegExp(`${literally(text)}$`, 's')
    case 'equals-ignore-case':
      return new RegExp(`^${literally(text)}$`, 'is')
    case 'wildcard': {
      const parts = text.match(/\\.|\*|[^\\*]/gs) ?? []
      const source = parts.map((part) => (part === '*' ? '.*' : literally(part.at(-1)!))).join('')
      return new RegExp(`^${source}$`, 's')
    }
    default:
      throw new Error(`the model knows no ${operator}`)
  }
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
