// A filter that has been read and can be asked. One object for each pattern: an index over many filters takes them as they are.
import { isSatisfied } from './evaluate.js'
import type { FilterView } from './filter-view.js'
import type { FilterPattern, Part } from './pattern.js'
import { readPattern, type Alternative } from './read-pattern.js'

export class Filter {
  /** The pattern as it was given. */
  readonly pattern: FilterPattern
  /** Whether the body must be read for some messages. */
  readonly needsData: boolean
  readonly #alternatives: readonly Alternative[]

  /** Throws FILTER_INVALID. `partNames`: what the parts of a message are called in its message, where it is something else. */
  constructor(pattern: unknown, partNames?: Partial<Record<Part, string>>) {
    this.#alternatives = readPattern(pattern, partNames)
    this.pattern = pattern as FilterPattern
    this.needsData = this.#alternatives.some((alternative) => alternative.has('data'))
  }

  matches(view: FilterView): boolean {
    for (const alternative of this.#alternatives) if (isWholly(alternative, view)) return true
    return false
  }
}

function isWholly(alternative: Alternative, view: FilterView): boolean {
  for (const part of CHEAPEST_FIRST) {
    const node = alternative.get(part)
    if (node === undefined) continue
    if (part === 'data' && !view.isJson) return false
    if (!isSatisfied(node, view[part])) return false
  }
  return true
}

const CHEAPEST_FIRST: readonly Part[] = ['topic', 'type', 'key', 'headers', 'data']
