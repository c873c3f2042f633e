// Level 1: content filters, from patterns as data to verdicts on messages. Knows neither the engine nor how bodies are encoded.
export { toCanonical } from './canonical.js'
export { Filter } from './filter.js'
export type { FilterView } from './filter-view.js'
export {
  FILTER_LIMITS,
  type Comparison,
  type Condition,
  type FieldPattern,
  type FilterPattern,
  type NumberCondition,
  type PresenceCondition,
  type TextCondition,
} from './pattern.js'
