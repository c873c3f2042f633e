// Definitions: what messages exist, on which topics, of which shape. A definition is made once and shared by publishers and
// subscribers, so that the compiler knows every payload.
import { FanfareError } from '../base/index.js'
import type { Codec } from '../codec/index.js'
import type { StandardSchema } from './standard-schema.js'
import { TopicTemplate } from './topic-template.js'

export type MessageKind = 'event' | 'command' | 'query'

export interface Definition<
  Kind extends MessageKind = MessageKind,
  Template extends string = string,
  Input = unknown,
  Output = unknown,
> {
  readonly kind: Kind
  /** What kind of thing happened or is asked: the topic template without its parameters. */
  readonly type: string
  readonly topic: Template
  readonly template: TopicTemplate
  readonly schema: StandardSchema<Input, Output> | undefined
  /** How its bodies are written, and read where they do not say; undefined: as the broker's are. */
  readonly codec: Codec | undefined
}

export interface DefinitionOptions {
  /** How bodies are written; default: the broker's codec. */
  readonly codec?: Codec
}

export type EventDefinition<
  Template extends string = string,
  Input = unknown,
  Output = unknown,
> = Definition<'event', Template, Input, Output>

export interface CommandDefinition<
  Template extends string = string,
  Input = unknown,
  Output = unknown,
  ReplyInput = unknown,
  Reply = unknown,
> extends Definition<'command', Template, Input, Output> {
  readonly reply: StandardSchema<ReplyInput, Reply> | undefined
}

export interface QueryDefinition<
  Template extends string = string,
  Input = unknown,
  Output = unknown,
  ReplyInput = unknown,
  Reply = unknown,
> extends Definition<'query', Template, Input, Output> {
  readonly reply: StandardSchema<ReplyInput, Reply>
}

/**
 * Something that happened; emitted to any number of subscribers.
 *
 * @example const Placed = event('order.placed', z.object({ id: z.number() }))
 */
export function event<const Template extends string, Input = unknown, Output = Input>(
  topic: Template,
  schema?: StandardSchema<Input, Output>,
  options: DefinitionOptions = {},
): EventDefinition<Template, Input, Output> {
  return { kind: 'event', ...describe(topic, schema, options) }
}

/** Something that one receiver shall do; requested, and answered when `reply` is given. */
export function command<
  const Template extends string,
  Input = unknown,
  Output = Input,
  ReplyInput = unknown,
  Reply = ReplyInput,
>(
  topic: Template,
  schema?: StandardSchema<Input, Output>,
  options: DefinitionOptions & { readonly reply?: StandardSchema<ReplyInput, Reply> } = {},
): CommandDefinition<Template, Input, Output, ReplyInput, Reply> {
  return { kind: 'command', ...describe(topic, schema, options), reply: options.reply }
}

/** A question; requested and answered, with the shape of the answer given by `reply`. */
export function query<const Template extends string, Input, Output, ReplyInput, Reply>(
  topic: Template,
  schema: StandardSchema<Input, Output>,
  options: DefinitionOptions & { readonly reply: StandardSchema<ReplyInput, Reply> },
): QueryDefinition<Template, Input, Output, ReplyInput, Reply> {
  // Callers without types find out here and not at the first request.
  if ((options as { reply?: unknown } | undefined)?.reply === undefined) {
    throw new FanfareError('DEFINITION_INVALID', `the query ${topic} needs a schema of its reply`, {
      details: { topic },
    })
  }
  return { kind: 'query', ...describe(topic, schema, options), reply: options.reply }
}

function describe<Template extends string, Input, Output>(
  topic: Template,
  schema: StandardSchema<Input, Output> | undefined,
  { codec }: DefinitionOptions,
) {
  const template = new TopicTemplate(topic)
  const type = topic
    .split('.')
    .filter((token) => !token.startsWith('{'))
    .join('.')
  return { type, topic, template, schema, codec }
}

/** Any definition, whatever its shapes. */
export type AnyDefinition = EventDefinition | CommandDefinition | QueryDefinition
