// What is wrong with a filter, and where: one error, worded alike by all that read patterns.
import { FanfareError } from '../base/index.js'

/** Names and places in lists, from the root: `data.total[0]`. */
export type PatternPath = string

export function filterInvalid(
  path: PatternPath,
  fault: string,
  details: Readonly<Record<string, unknown>> = {},
): FanfareError {
  return new FanfareError('FILTER_INVALID', `${path === '' ? 'the filter' : path}: ${fault}`, {
    details: { path, ...details },
  })
}

export function inField(path: PatternPath, name: string): PatternPath {
  const shown = /^[\w$-]+$/.test(name) ? name : JSON.stringify(name)
  return path === '' ? shown : `${path}.${shown}`
}

export function inList(path: PatternPath, place: number): PatternPath {
  return `${path}[${place}]`
}

/** A value in a few words. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}

const LONGEST_SHOWN = 60
