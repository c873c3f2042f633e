// Parameters of monitoring requests. Wrong ones are OPTION_INVALID, which is answered with status 400.
import { FanfareError } from '../base/index.js'

export type Query = Readonly<Record<string, string>>

export function readCount(query: Query, name: string, byDefault: number): number {
  const text = query[name]
  if (text === undefined || text === '') return byDefault
  if (!/^\d+$/.test(text))
    throw new FanfareError('OPTION_INVALID', `${name} must be a number, not ${text}`)
  return Number(text)
}

export function readFlag(query: Query, name: string): boolean {
  const text = query[name]
  if (text === undefined || text === '' || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  throw new FanfareError('OPTION_INVALID', `${name} must be 0 or 1, not ${text}`)
}

export function readChoice<T extends string>(
  query: Query,
  name: string,
  choices: readonly T[],
  byDefault: T,
): T {
  const text = query[name]
  if (text === undefined || text === '') return byDefault
  const choice = choices.find((candidate) => candidate === text)
  if (choice !== undefined) return choice
  throw new FanfareError(
    'OPTION_INVALID',
    `${name} must be one of ${choices.join(', ')}, not ${text}`,
  )
}
