// A filter as people write it and as it travels: the event pattern of Amazon EventBridge, as data, over the parts of a message.
//
//   { "type": ["order.placed"], "data": { "total": [{ "numeric": [">", 1000] }] } }
//
// Names beside each other must all hold; of the conditions in a list one must. docs/design/filter.md has the grammar's source.

/** Lower bound before upper bound. */
export type Comparison =
  | readonly ['=' | '<' | '<=' | '>' | '>=', number]
  | readonly ['>' | '>=', number, '<' | '<=', number]

type OneOrMore<T> = T | readonly T[]

/** Whether there is a value; objects and empty lists are none. */
export interface PresenceCondition {
  readonly exists: boolean
}

/** Holds for texts only. */
export type TextCondition<Text extends string = string> =
  | Text
  | { readonly exactly: Text }
  | { readonly prefix: string | { readonly 'equals-ignore-case': string } }
  | { readonly suffix: string | { readonly 'equals-ignore-case': string } }
  | { readonly 'equals-ignore-case': string }
  /** `*` stands for any text, `\*` for itself, `\\` for a backslash. */
  | { readonly wildcard: string }
  /** An address of IPv4 or IPv6 in this block. */
  | { readonly cidr: string }
  /** A value, of whatever kind, that is none of these, or not so. */
  | {
      readonly 'anything-but':
        | OneOrMore<Text>
        | { readonly prefix: OneOrMore<string> }
        | { readonly suffix: OneOrMore<string> }
        | { readonly 'equals-ignore-case': OneOrMore<string> }
        | { readonly wildcard: OneOrMore<string> }
    }

/** Holds for numbers only. */
export type NumberCondition<Number extends number = number> =
  | Number
  | { readonly numeric: Comparison }
  /** A value, of whatever kind, that is none of these. */
  | { readonly 'anything-but': OneOrMore<Number> }

/** One condition on a value. */
export type Condition = TextCondition | NumberCondition | boolean | null | PresenceCondition

/** Fields of an object: each with its conditions, or with fields of its own. `$or`: two or more patterns, one of which must hold. */
export interface FieldPattern {
  readonly [name: string]: readonly Condition[] | FieldPattern | readonly FieldPattern[]
}

/** A filter: what is left out may be anything. */
export interface FilterPattern {
  readonly topic?: readonly Condition[]
  /** The CloudEvents type; of a message that has none, its topic. */
  readonly type?: readonly Condition[]
  readonly key?: readonly Condition[]
  /** By name, as it is written; names that begin with `ce-` in any case. A name that comes more than once is a list. */
  readonly headers?: FieldPattern
  /** The body as JSON. */
  readonly data?: FieldPattern | readonly Condition[]
  readonly $or?: readonly FilterPattern[]
}

/** The name that stands for alternatives, at every level. */
export const OR = '$or'

/** What a message has that a filter may speak of. */
export const PARTS = ['topic', 'type', 'key', 'headers', 'data'] as const
export type Part = (typeof PARTS)[number]

/** Larger filters are refused with FILTER_INVALID. */
export const FILTER_LIMITS = {
  /** Length as JSON. */
  length: 4096,
  /** Lists of conditions. */
  fields: 64,
  /** Names within names, and `$or`s. */
  depth: 16,
  conditionsPerList: 256,
  /** Alternatives when every `$or` is multiplied out. */
  alternatives: 64,
  /** Stars in one wildcard. */
  stars: 8,
} as const
