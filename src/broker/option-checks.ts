// What callers without types write: unknown names and wrong values of options, refused where they are written and not when
// they fail to work.
import { FanfareError, findNearest } from '../base/index.js'

/** Throws OPTION_INVALID for a name that is none of `known`, with the known one that it may be meant for. */
export function refuseUnknownOptions(
  call: string,
  options: object | undefined,
  known: ReadonlySet<string>,
): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw optionInvalid(call, options, 'an object of options')
  }
  for (const name in options) if (!known.has(name)) throw unknownOption(call, name, known)
}

/** Throws OPTION_INVALID for a value that is none of `allowed`. */
export function oneOf<const T extends string>(
  option: string,
  value: unknown,
  allowed: readonly T[],
): T {
  if (allowed.includes(value as T)) return value as T
  throw optionInvalid(option, value, `one of '${allowed.join("', '")}'`)
}

/** Throws OPTION_INVALID for what is no whole number from `least` on. */
export function wholeNumber(option: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  throw optionInvalid(option, value, `a whole number from ${least}`)
}

export function optionInvalid(option: string, value: unknown, wanted: string): FanfareError {
  return new FanfareError('OPTION_INVALID', `${option} must be ${wanted}, not ${show(value)}`, {
    details: { option, value },
  })
}

/** `object` without what is undefined, so that "left out" has one form. */
export function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Defined<T>
}

/** Members that may be undefined become members that may be left out. */
export type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function unknownOption(call: string, name: string, known: ReadonlySet<string>): FanfareError {
  const meant = findNearest(name, known)
  const hint =
    meant === undefined ? `it takes ${[...known].join(', ')}` : `did you mean '${meant}'?`
  return new FanfareError('OPTION_INVALID', `${call} has no option '${name}'; ${hint}`, {
    details: { option: name, ...(meant === undefined ? {} : { meant }) },
  })
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'an object'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
