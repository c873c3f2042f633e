// Definitions: what messages exist, on which topics, of which shape. A definition is made once and shared by publishers and
// subscribers, so that the compiler knows every payload.
import { FanfareError } from '../base/index.js'
import type { Codec } from '../codec/index.js'
import { classSchema, type MessageClass } from './class-schema.js'
import { oneOf, refuseUnknownOptions } from './option-checks.js'
import type { StandardSchema } from './standard-schema.js'
import { TopicTemplate } from './topic-template.js'
import { VALIDATIONS, type Validation } from './validation.js'

export type MessageKind = 'event' | 'command' | 'query'

export interface Definition<
  Kind extends MessageKind = MessageKind,
  Template extends string = string,
  Input = unknown,
  Output = unknown,
  Type extends string = string,
> {
  readonly kind: Kind
  /** What kind of thing happened or is asked: `type` of the options, or the topic template without its parameters. */
  readonly type: Type
  readonly topic: Template
  readonly template: TopicTemplate
  readonly schema: StandardSchema<Input, Output> | undefined
  /** Where the schema is applied; undefined: where the broker says. */
  readonly validate: Validation | undefined
  /** How its bodies are written, and read where they do not say; undefined: as the broker's are. */
  readonly codec: Codec | undefined
  /** For the compiler only: undefined. */
  readonly '~types': { readonly input: Input; readonly output: Output } | undefined
}

export type EventDefinition<
  Template extends string = string,
  Input = unknown,
  Output = unknown,
  Type extends string = string,
> = Definition<'event', Template, Input, Output, Type>

export interface CommandDefinition<
  Template extends string = string,
  Input = unknown,
  Output = unknown,
  ReplyInput = unknown,
  Reply = unknown,
  Type extends string = string,
> extends Definition<'command', Template, Input, Output, Type> {
  readonly reply: StandardSchema<ReplyInput, Reply> | undefined
}

export interface QueryDefinition<
  Template extends string = string,
  Input = unknown,
  Output = unknown,
  ReplyInput = unknown,
  Reply = unknown,
  Type extends string = string,
> extends Definition<'query', Template, Input, Output, Type> {
  readonly reply: StandardSchema<ReplyInput, Reply>
}

/** Any definition, whatever its shapes. */
export type AnyDefinition = EventDefinition | CommandDefinition | QueryDefinition

/** What stands for the shape of a body: any Standard Schema, or a class, whose instances take what has their fields. */
export type Shape<Input = unknown, Output = unknown> =
  StandardSchema<Input, Output> | MessageClass<Input>

/** The type of messages that a template has when none is given: its tokens without the parameters. */
export type TypeOf<Template extends string> = Template extends `${string}{${string}`
  ? WithoutParameters<Template>
  : Template

type WithoutParameters<Template extends string> = Template extends `{${string}}.${infer Rest}`
  ? WithoutParameters<Rest>
  : Template extends `{${string}}`
    ? ''
    : Template extends `${infer Token}.${infer Rest}`
      ? WithoutParameters<Rest> extends infer Others extends string
        ? Others extends ''
          ? Token
          : `${Token}.${Others}`
        : never
      : Template

export interface DefinitionOptions<Type extends string = string> {
  /** What kind of thing this is, whatever its topic; default: the topic without its parameters. */
  readonly type?: Type
  /** Where the schema is applied; default: as `openBroker({ validate })` says, which is 'both'. */
  readonly validate?: Validation
  /** How bodies are written; default: the broker's codec. */
  readonly codec?: Codec
}

export interface CommandOptions<
  ReplyInput = unknown,
  Reply = unknown,
  Type extends string = string,
> extends DefinitionOptions<Type> {
  /** The shape of the answer. */
  readonly reply?: Shape<ReplyInput, Reply>
}

export interface QueryOptions<
  ReplyInput = unknown,
  Reply = unknown,
  Type extends string = string,
> extends DefinitionOptions<Type> {
  /** The shape of the answer. */
  readonly reply: Shape<ReplyInput, Reply>
}

/**
 * Something that happened; emitted or published to any number of receivers. Throws DEFINITION_INVALID, OPTION_INVALID.
 *
 * @example const Placed = event('order.placed', z.object({ id: z.number() }))
 */
export function event<
  const Template extends string,
  Input = unknown,
  Output = Input,
  const Type extends string = TypeOf<Template>,
>(
  topic: Template,
  schema?: Shape<Input, Output>,
  options?: DefinitionOptions<Type>,
): EventDefinition<Template, Input, Output, Type> {
  return { kind: 'event', ...describe('event', topic, schema, options) }
}

/**
 * Something that one receiver shall do: requested, and answered when `reply` is given; or published to a work-queue stream.
 *
 * @example const Ship = command('parcel.ship', z.object({ id: z.number() }))
 */
export function command<
  const Template extends string,
  Input = unknown,
  Output = Input,
  ReplyInput = unknown,
  Reply = ReplyInput,
  const Type extends string = TypeOf<Template>,
>(
  topic: Template,
  schema?: Shape<Input, Output>,
  options?: CommandOptions<ReplyInput, Reply, Type>,
): CommandDefinition<Template, Input, Output, ReplyInput, Reply, Type> {
  const reply = toSchema(topic, options?.reply)
  return { kind: 'command', ...describe('command', topic, schema, options), reply }
}

/**
 * A question: requested and answered, with the shape of the answer given by `reply`.
 *
 * @example const GetUser = query('user.get', z.object({ id: z.number() }), { reply: User })
 */
export function query<
  const Template extends string,
  Input,
  ReplyInput,
  Output = Input,
  Reply = ReplyInput,
  const Type extends string = TypeOf<Template>,
>(
  topic: Template,
  schema: Shape<Input, Output>,
  options: QueryOptions<ReplyInput, Reply, Type>,
): QueryDefinition<Template, Input, Output, ReplyInput, Reply, Type> {
  const reply = toSchema(topic, (options as Partial<typeof options> | undefined)?.reply)
  // Callers without types find out here and not at the first request.
  if (reply === undefined) throw invalid(topic, `the query ${topic} needs a schema of its reply`)
  return { kind: 'query', ...describe('query', topic, schema, options), reply }
}

const EVENT_OPTIONS: ReadonlySet<string> = new Set<keyof DefinitionOptions>([
  'type',
  'validate',
  'codec',
])
const ANSWERED_OPTIONS: ReadonlySet<string> = new Set<keyof QueryOptions>([
  'type',
  'validate',
  'codec',
  'reply',
])

function describe<Template extends string, Input, Output, Type extends string>(
  kind: MessageKind,
  topic: Template,
  shape: Shape<Input, Output> | undefined,
  options: DefinitionOptions<Type> = {},
): Omit<Definition<never, Template, Input, Output, Type>, 'kind'> {
  refuseUnknownOptions(kind, options, kind === 'event' ? EVENT_OPTIONS : ANSWERED_OPTIONS)
  if (typeof topic !== 'string')
    throw invalid(topic, `a ${kind} needs a topic, not ${typeof topic}`)
  const template = new TopicTemplate(topic)
  const { type = template.type as Type, validate, codec } = options
  if (typeof type !== 'string' || type === '') {
    throw invalid(topic, `the ${kind} ${topic} needs a type: a text, by the option type`)
  }
  if (validate !== undefined) oneOf('validate', validate, VALIDATIONS)
  return {
    type,
    topic,
    template,
    schema: toSchema(topic, shape),
    validate,
    codec,
    '~types': undefined,
  }
}

/** Schemas may be functions too, so the mark of the standard is looked for first. */
function toSchema<Input, Output>(
  topic: string,
  shape: Shape<Input, Output> | undefined,
): StandardSchema<Input, Output> | undefined {
  if (shape === undefined) return undefined
  if (isStandardSchema(shape)) return shape
  if (typeof shape === 'function' && typeof shape.prototype === 'object') {
    return classSchema(shape) as unknown as StandardSchema<Input, Output>
  }
  throw invalid(
    topic,
    `the schema of ${topic} is neither a Standard Schema (Zod, Valibot, ArkType, …) nor a class`,
  )
}

function isStandardSchema<Input, Output>(
  shape: Shape<Input, Output>,
): shape is StandardSchema<Input, Output> {
  if ((typeof shape !== 'object' && typeof shape !== 'function') || shape === null) return false
  return typeof (shape as Partial<StandardSchema>)['~standard']?.validate === 'function'
}

function invalid(topic: unknown, message: string): FanfareError {
  return new FanfareError('DEFINITION_INVALID', message, { details: { topic } })
}
