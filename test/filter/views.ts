// Messages as filters see them, for tests.
import { NOT_JSON, type FilterView } from '../../src/filter/index.js'

export function viewOf(parts: Partial<FilterView> = {}): FilterView {
  const topic = parts.topic ?? 'order.placed'
  return { topic, type: topic, key: undefined, headers: {}, data: undefined, ...parts }
}

/** A body's text, parsed where it is JSON. */
export function dataOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return NOT_JSON
  }
}
