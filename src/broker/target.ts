// What may be sent to whom, in types: the data that a target takes, what it answers, and the options it needs.
import type { Definition, MessageKind } from './definition.js'
import type { Message } from './message.js'
import type { HeadersInput } from './message-headers.js'
import type { StandardSchema } from './standard-schema.js'
import type { ParametersOf } from './topic-template.js'

/** What is sent to a target: the schema's input; anything to a plain topic. */
export type InputOf<T> =
  T extends Definition<MessageKind, string, infer Input, unknown> ? Input : unknown

/** What is answered to a request. */
export type ReplyOf<T> = T extends {
  readonly reply: StandardSchema<unknown, infer Reply> | undefined
}
  ? Reply
  : unknown

type ParametersOption<T> =
  T extends Definition<MessageKind, infer Template, unknown, unknown>
    ? keyof ParametersOf<Template> extends never
      ? { readonly params?: undefined }
      : { readonly params: { readonly [K in keyof ParametersOf<Template>]: string | number } }
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
