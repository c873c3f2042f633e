// What may be sent to whom, in types: the data that a target takes, what it answers, and the options it needs.
import type { DefinitionOfTopic, IsDeclared } from './declared.js'
import type { AnyDefinition, Definition, MessageKind } from './definition.js'
import type { Message } from './message.js'
import type { HeadersInput } from './message-headers.js'
import type { KindHints, Verb } from './message-kinds.js'
import type { Selected, Undeclared } from './source.js'
import type { StandardSchema } from './standard-schema.js'
import type { ParametersOf } from './topic-template.js'

/** A definition, or a topic. What the broker's catalog does not have is refused by `Sendable`, which says so. */
export type Target = AnyDefinition | string

/** The definition of a target. */
type Targeted<T, C> = T extends Definition
  ? T
  : undefined extends C
    ? Undeclared
    : DefinitionOfTopic<C, T & string>

/** What is sent to a target: the schema's input; anything to a plain topic. */
export type InputOf<T, C = undefined> = InputOfDefinition<Targeted<T, C>>

type InputOfDefinition<D> = D extends {
  readonly '~types': { readonly input: infer Input } | undefined
}
  ? Input
  : unknown

/** What is sent to a source: the input of all the schemas that it selects. */
export type PayloadOf<S, C, Kind extends MessageKind> = InputOfDefinition<Selected<S, C, Kind>>

/** What who requests gets: the output of the answer's schema. */
export type ReplyOf<T, C = undefined> = ReplyOfDefinition<Targeted<T, C>>

type ReplyOfDefinition<D> = D extends {
  readonly reply: StandardSchema<unknown, infer Reply> | undefined
}
  ? Reply
  : unknown

/** What who responds returns: the input of the answer's schema. */
export type ReplyInputOf<S, C = undefined> = ReplyInputOfDefinition<
  Selected<S, C, 'command' | 'query'>
>

type ReplyInputOfDefinition<D> = D extends {
  readonly reply: StandardSchema<infer Input, unknown> | undefined
}
  ? Input
  : unknown

/** What no value is: stands where a call is refused, and says why. */
export interface Refused<Reason extends string> {
  readonly '~refused': Reason
}

/** `unknown` for a target that the verb takes, else why not. */
export type Sendable<T, C, V extends Verb> = Checked<Targeted<T, C>, T, C, V>

/** `unknown` for a source that the verb takes, else why not. */
export type Receivable<S, C, V extends Verb> = S extends readonly unknown[]
  ? { readonly [I in keyof S]: Receivable<S[I], C, V> }
  : Checked<Selected<S, C, MessageKind>, S, C, V>

type Checked<D, Named, C, V extends Verb> = [D] extends [never]
  ? Refused<`${NameOf<Named>} is not in the catalog of this broker`>
  : Named extends Definition
    ? undefined extends C
      ? KindCheck<D, V>
      : IsDeclared<C, Named> extends true
        ? KindCheck<D, V>
        : Refused<`${NameOf<Named>} is not in the catalog of this broker`>
    : KindCheck<D, V>

type KindCheck<D, V extends Verb> =
  KindOf<D> extends infer K extends keyof KindHints[V] ? Refused<KindHints[V][K] & string> : unknown

type KindOf<D> = D extends { readonly kind: infer K } ? K : never

type NameOf<T> = T extends Definition
  ? T['topic']
  : T extends { readonly type: infer Type extends string }
    ? `the type ${Type}`
    : T & string

type ParametersOption<T> = T extends Definition
  ? keyof ParametersOf<T['topic']> extends never
    ? { readonly params?: undefined }
    : { readonly params: { readonly [K in keyof ParametersOf<T['topic']>]: string | number } }
  : { readonly params?: undefined }

/** Required where the topic has parameters. */
export type OptionsFor<T, Options> =
  ParametersOption<T> extends { readonly params: object }
    ? [options: Options & ParametersOption<T>]
    : [options?: Options & ParametersOption<T>]

export interface EmitOptions {
  /** Default: made up when needed. */
  readonly id?: string
  /** What order is kept by. */
  readonly key?: string
  readonly headers?: HeadersInput
  /** The message that this one follows from: gives its correlation id, its id as the cause, and its trace context. */
  readonly cause?: Message
  /** What all messages of one flow have in common; default: that of `cause`. */
  readonly correlationId?: string
  /** Further CloudEvents attributes; names of small letters and digits. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
}
