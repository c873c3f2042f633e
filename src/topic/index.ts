// Level 1: what topics and patterns are, who is matched by what, and the handles that make it fast.
export {
  assertPattern,
  assertTopic,
  findPatternFault,
  findTopicFault,
  hasWildcard,
  isSubsetPattern,
  matchesPattern,
  patternsOverlap,
} from './topic-grammar.js'
export { PatternIndex } from './pattern-index.js'
export { TopicHandle, TopicTable } from './topic-table.js'
