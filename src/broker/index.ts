// Level 5: the API people use; the door `fanfare`.
export { FanfareError, type Duration, type ErrorCode } from '../base/index.js'
export { bytesCodec, jsonCodec, textCodec, type Codec } from '../codec/index.js'
export type { OverflowPolicy } from '../delivery/index.js'
export {
  Broker,
  type CloseOptions,
  type EmitOptions,
  type InputOf,
  type ReplyOf,
  type RequestOptions,
} from './broker.js'
export type { BrokerEvent } from './broker-event.js'
export {
  command,
  event,
  query,
  type AnyDefinition,
  type CommandDefinition,
  type EventDefinition,
  type MessageKind,
  type QueryDefinition,
} from './definition.js'
export type { LiveSubscriptionOptions, Subscription } from './live-subscription.js'
export type { Message } from './message.js'
export { MessageHeaders, type HeadersInput } from './message-headers.js'
export { openBroker, type BrokerOptions, type ConnectionOptions } from './open-broker.js'
export type { MessageOf, Source } from './source.js'
export type { SchemaIssue, StandardSchema } from './standard-schema.js'
export type { ParametersOf } from './topic-template.js'
