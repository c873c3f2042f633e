// What one user may publish and subscribe to, compiled from the configuration. An entry is a pattern; for subscriptions
// it may name a queue after a space ("orders.* workers"), and then speaks of that queue only, as in nats-server.
import { isSubsetPattern, matchesPattern, patternsOverlap } from '../topic/index.js'
import type { Permissions, SubjectPermission } from './server-options.js'

interface Entry {
  readonly pattern: string
  /** A pattern over queue names; undefined: with or without a queue. */
  readonly queue: string | undefined
}

/** Decisions on topics are remembered up to this many, then all are forgotten. */
const REMEMBERED_DECISIONS = 4_096

export class AccessRules {
  readonly #publish: SubjectRule
  readonly #subscribe: SubjectRule
  readonly #decisions = new Map<string, boolean>()
  readonly allowResponses: { readonly max: number; readonly expiresMs: number } | undefined

  constructor(permissions: Permissions) {
    this.allowResponses = permissions.allowResponses
    // Whoever may only answer may not publish anything else.
    const publish =
      permissions.publish ?? (permissions.allowResponses === undefined ? {} : { allow: [] })
    this.#publish = new SubjectRule(publish)
    this.#subscribe = new SubjectRule(permissions.subscribe ?? {})
  }

  mayPublish(topic: string): boolean {
    let decision = this.#decisions.get(topic)
    if (decision === undefined) {
      if (this.#decisions.size >= REMEMBERED_DECISIONS) this.#decisions.clear()
      decision = this.#publish.allows(topic, undefined)
      this.#decisions.set(topic, decision)
    }
    return decision
  }

  maySubscribe(pattern: string, queue: string | undefined): boolean {
    return this.#subscribe.allows(pattern, queue)
  }

  /** A filter for topics that `pattern` matches but the user may not see, or undefined when there are none. */
  hiddenFrom(pattern: string): ((topic: string) => boolean) | undefined {
    const denied = this.#subscribe.deniedWithin(pattern)
    if (denied.length === 0) return undefined
    return (topic) => denied.some((entry) => matchesPattern(entry, topic))
  }
}

class SubjectRule {
  readonly #allow: readonly Entry[] | undefined
  readonly #deny: readonly Entry[]

  constructor(permission: SubjectPermission) {
    this.#allow = permission.allow?.map(toEntry)
    this.#deny = permission.deny?.map(toEntry) ?? []
  }

  allows(pattern: string, queue: string | undefined): boolean {
    const isAllowed =
      this.#allow === undefined || this.#allow.some((entry) => covers(entry, pattern, queue, true))
    return isAllowed && !this.#deny.some((entry) => covers(entry, pattern, queue, false))
  }

  deniedWithin(pattern: string): string[] {
    return this.#deny
      .filter((entry) => entry.queue === undefined && patternsOverlap(entry.pattern, pattern))
      .map((entry) => entry.pattern)
  }
}

function toEntry(text: string): Entry {
  const [pattern = '', queue] = text.trim().split(/\s+/)
  return { pattern, queue }
}

/** Whether `entry` speaks of a subscription to all of `pattern`. */
function covers(
  entry: Entry,
  pattern: string,
  queue: string | undefined,
  isAllowing: boolean,
): boolean {
  if (!isSubsetPattern(pattern, entry.pattern)) return false
  if (entry.queue === undefined) return true
  // Naming a queue allows that queue only, and denies that queue only.
  if (queue === undefined) return false
  return matchesPattern(entry.queue, queue) || (isAllowing && entry.queue === queue)
}
