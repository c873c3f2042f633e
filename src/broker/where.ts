// Content patterns in types: what may be asked of a payload, by the payload's own fields. Lists are looked through, and what JSON
// writes in another form (a Date) is asked in that form.
import type {
  Condition,
  FieldPattern,
  NumberCondition,
  PresenceCondition,
  TextCondition,
} from '../filter/index.js'

/**
 * A pattern over data: for each field the conditions of which one must hold, or the fields of an object. All of it must hold; `$or`
 * has alternatives. Data that is no object is asked by a list of conditions.
 *
 * @example { total: [{ numeric: ['>', 1000] }], customer: { country: ['DE', 'FR'] } }
 */
export type Where<Payload> = MemberPattern<SeenAs<Payload>, Levels>

/** What a message must be like to be handed over; what is left out may be anything. */
export interface ContentOptions<Payload = unknown> {
  /** A pattern over the data as it was published, before the schema of the receiver. A body that is no JSON has no data. */
  readonly where?: Where<Payload>
  /** Conditions on headers, by their names as they are written; names that begin with `ce-` in any case. */
  readonly headers?: Readonly<Record<string, readonly (TextCondition | PresenceCondition)[]>>
  /** Conditions on the key. */
  readonly key?: readonly (TextCondition | PresenceCondition)[]
}

export const CONTENT_OPTION_NAMES = [
  'where',
  'headers',
  'key',
] as const satisfies readonly (keyof ContentOptions)[]

type Scalar = string | number | boolean | null

/** Names within names that types follow; below, everything is allowed. */
type Levels = [1, 2, 3, 4, 5, 6, 7, 8]

/** What JSON shows of a value, seen through lists. */
type SeenAs<V> = unknown extends V
  ? V
  : V extends { toJSON(): infer Shown }
    ? SeenAs<Shown>
    : V extends readonly (infer Element)[]
      ? SeenAs<Element>
      : V extends Scalar
        ? V
        : V extends ((...args: never) => unknown) | bigint | symbol | undefined
          ? never
          : V

/** Objects are no values: of them alone no condition can be asked, `exists` included, only their fields. */
type MemberPattern<V, Left extends readonly unknown[]> = unknown extends V
  ? readonly Condition[] | FieldPattern
  : [Extract<V, Scalar>] extends [never]
    ? FieldsPattern<V, Left>
    : [Exclude<V, Scalar>] extends [never]
      ? ConditionsOn<V>
      : ConditionsOn<Extract<V, Scalar>> | FieldsPattern<Exclude<V, Scalar>, Left>

type ConditionsOn<V> = readonly (PresenceCondition | ConditionOn<V>)[]

type ConditionOn<V> = V extends string
  ? TextCondition<V>
  : V extends number
    ? NumberCondition<V>
    : V

type FieldsPattern<T, Left extends readonly unknown[]> = [T] extends [never]
  ? never
  : Left extends readonly [unknown, ...infer Rest]
    ? string extends NameOf<T>
      ? FieldPattern
      : {
          readonly [Name in NameOf<T> | '$or']?: Name extends '$or'
            ? readonly [FieldsPattern<T, Left>, FieldsPattern<T, Left>, ...FieldsPattern<T, Left>[]]
            : MemberPattern<SeenAs<MemberOf<T, Name>>, Rest>
        }
    : FieldPattern

/** Of a union, the names of all. */
type NameOf<T> = T extends unknown ? Extract<keyof T, string> : never

type MemberOf<T, Name> = T extends unknown ? (Name extends keyof T ? T[Name] : never) : never
