// From content patterns as options to the one pattern that the contract knows, and back.
import type { FilterPattern } from '../filter/index.js'
import type { ContentOptions } from './where.js'

/** What the parts of a message are called in these options. */
export const PART_NAMES = { data: 'where' } as const

/** Undefined when nothing is asked. Not checked: whoever makes a filter of it learns what is wrong. */
export function toFilterPattern(
  { where, headers, key }: ContentOptions,
  now: FilterPattern = {},
): FilterPattern | undefined {
  const pattern = {
    ...now,
    ...(where === undefined ? {} : { data: where }),
    ...(headers === undefined ? {} : { headers }),
    ...(key === undefined ? {} : { key }),
  }
  return Object.keys(pattern).length === 0 ? undefined : (pattern as FilterPattern)
}

/** The options that a pattern came from. */
export function toContentOptions(pattern: FilterPattern | undefined): ContentOptions {
  const { data, headers, key } = pattern ?? {}
  return {
    ...(data === undefined ? {} : { where: data }),
    ...(headers === undefined ? {} : { headers }),
    ...(key === undefined ? {} : { key }),
  } as ContentOptions
}
