// What a topic and a pattern may look like, as NATS has it (docs: "Subject-Based Messaging"):
//
//   topic    = token *( "." token )
//   token    = 1*( any character but "." and white space )
//   pattern  = a topic in which "*" stands for any one token and a final ">" for one token or more
//
// `*` and `>` are wildcards as whole tokens only; `foo*` is an ordinary token. In a topic that is published they are
// ordinary tokens on the wire, and refused by our own API.
import { FanfareError } from '../base/index.js'

/** What nats-server takes for white space (server/sublist.go). */
const WHITE_SPACE = /[ \t\n\f\r]/

/** Why `topic` cannot be published to, or undefined when it can. */
export function findTopicFault(topic: string): string | undefined {
  const fault = findTokenFault(topic)
  if (fault !== undefined) return fault
  return hasWildcard(topic) ? 'wildcards are for subscriptions only' : undefined
}

/** Why `pattern` cannot be subscribed to, or undefined when it can. */
export function findPatternFault(pattern: string): string | undefined {
  const fault = findTokenFault(pattern)
  if (fault !== undefined) return fault
  const isTailInside = pattern.startsWith('>.') || pattern.includes('.>.')
  return isTailInside ? `'>' may only be the last token` : undefined
}

export function assertTopic(topic: string): void {
  const fault = findTopicFault(topic) ?? findTextFault(topic)
  if (fault === undefined) return
  throw new FanfareError('TOPIC_INVALID', `invalid topic ${excerpt(topic)}: ${fault}`, {
    details: { topic },
  })
}

export function assertPattern(pattern: string): void {
  const fault = findPatternFault(pattern) ?? findTextFault(pattern)
  if (fault === undefined) return
  throw new FanfareError('PATTERN_INVALID', `invalid pattern ${excerpt(pattern)}: ${fault}`, {
    details: { pattern },
  })
}

/** Whether `pattern` has a wildcard token. */
export function hasWildcard(pattern: string): boolean {
  return pattern.split('.').some((token) => token === '*' || token === '>')
}

/** Whether `topic` is matched by `pattern`; both are valid. */
export function matchesPattern(pattern: string, topic: string): boolean {
  const wanted = pattern.split('.')
  const tokens = topic.split('.')
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '>') return tokens.length > i
    if (i >= tokens.length) return false
    if (wanted[i] !== '*' && wanted[i] !== tokens[i]) return false
  }
  return wanted.length === tokens.length
}

/** Whether every topic that `inner` matches is matched by `outer`; both are valid patterns. */
export function isSubsetPattern(inner: string, outer: string): boolean {
  const innerTokens = inner.split('.')
  const outerTokens = outer.split('.')
  for (let i = 0; i < outerTokens.length; i++) {
    const token = outerTokens[i]
    if (token === '>') return innerTokens.length > i
    if (i >= innerTokens.length || innerTokens[i] === '>') return false
    if (token !== '*' && token !== innerTokens[i]) return false
  }
  return innerTokens.length === outerTokens.length
}

/** Whether some topic is matched by both patterns. */
export function patternsOverlap(left: string, right: string): boolean {
  const leftTokens = left.split('.')
  const rightTokens = right.split('.')
  const shorter = Math.min(leftTokens.length, rightTokens.length)
  for (let i = 0; i < shorter; i++) {
    const a = leftTokens[i]
    const b = rightTokens[i]
    if (a === '>' || b === '>') return true
    if (a !== b && a !== '*' && b !== '*') return false
  }
  return leftTokens.length === rightTokens.length
}

/** What the protocol's line of 4,096 bytes leaves for a topic beside a reply address, a group and numbers. */
const LONGEST_TOPIC_BYTES = 3_072

const LONE_SURROGATE = /\p{Surrogate}/u
const encoder = new TextEncoder()

/** Why a topic of our own API cannot travel, although its tokens are well formed. */
function findTextFault(topic: string): string | undefined {
  if (LONE_SURROGATE.test(topic)) return 'it is no well-formed Unicode text'
  const isLong =
    topic.length > LONGEST_TOPIC_BYTES || encoder.encode(topic).length > LONGEST_TOPIC_BYTES
  return isLong ? `it is longer than ${LONGEST_TOPIC_BYTES} bytes` : undefined
}

function findTokenFault(topic: string): string | undefined {
  if (topic.length === 0) return 'it is empty'
  if (WHITE_SPACE.test(topic)) return 'it contains white space'
  if (topic.startsWith('.') || topic.endsWith('.') || topic.includes('..')) {
    return 'it has an empty token'
  }
  return undefined
}

function excerpt(topic: string): string {
  return JSON.stringify(topic.length > 100 ? `${topic.slice(0, 100)}…` : topic)
}
