// Messages as filters see them, for tests.
import type { FilterView } from '../../src/filter/index.js'

export function viewOf(parts: Partial<FilterView> = {}): FilterView {
  const topic = parts.topic ?? 'order.placed'
  const rest = { type: topic, key: undefined, headers: {}, isJson: true, data: undefined }
  return { topic, ...rest, ...parts }
}

/** A message with this body. */
export function viewOfBody(text: string): FilterView {
  try {
    return viewOf({ data: JSON.parse(text) as unknown })
  } catch {
    return viewOf({ isJson: false })
  }
}
