// Level 5: the API people use; the door `fanfare`.
export { FanfareError, type Duration, type ErrorCode } from '../base/index.js'
export {
  bytesCodec,
  jsonCodec,
  textCodec,
  type Codec,
  type CompressionAlgorithm,
  type CompressionOptions,
} from '../codec/index.js'
export type { OverflowPolicy } from '../delivery/index.js'
export type {
  EndpointInfo,
  EndpointStatistics,
  ServiceIdentity,
  ServiceInfo,
  ServiceStatistics,
} from '../wire/index.js'
/** @internal For those who make a `Broker` by hand. */
export { loadParts } from './load-parts.js'
export { replyFailed } from './reply-failed.js'
export { Broker, type BrokerParts, type CloseOptions, type FlushOptions } from './broker.js'
export { printTrouble, type BrokerEvent } from './broker-event.js'
export type { BrokerStream, PurgeOptions, StreamInfo } from './broker-stream.js'
export type {
  ConsumeOptions,
  ConsumerOptions,
  DeadLetterOptions,
  Delivery,
  NewConsumerOptions,
  RetryPolicy,
} from './consume-options.js'
export type { ConsumedMessage, ConsumedMessageOf, RetryOptions } from './consumed-message.js'
export type { ConsumerStatus } from './consumer-status.js'
export type { Consumption } from './consumption.js'
export type { MessageClass } from './class-schema.js'
export type { Catalog } from './declared.js'
export {
  command,
  event,
  query,
  type AnyDefinition,
  type CommandDefinition,
  type CommandOptions,
  type Definition,
  type DefinitionOptions,
  type EventDefinition,
  type MessageKind,
  type QueryDefinition,
  type QueryOptions,
} from './definition.js'
export type { Receipt } from './durable-publisher.js'
export type { TransactionOptions } from './durable-verbs.js'
export type {
  LiveSubscriptionOptions,
  Subscription,
  SubscriptionCloseOptions,
} from './live-subscription.js'
export type { Message } from './message.js'
export type { CauseStorage } from './message-context.js'
export type { Answer, RequestManyOptions, RequestOptions } from './request-terms.js'
export type {
  EndpointGroup,
  EndpointOptions,
  RespondOptions,
  Service,
  ServiceOptions,
} from './service.js'
export type { ServicePing, ServiceQuery } from './service-directory.js'
export type { Services } from './services.js'
export { MessageHeaders, type HeadersInput } from './message-headers.js'
export { openBroker, type BrokerOptions, type ConnectionOptions } from './open-broker.js'
export type { Expectations, PublishOptions, TransactionPublishOptions } from './publish-options.js'
export type { MessageOf, PublishedOf, RequestOf, Source, Sources, TopicSource } from './source.js'
export type { SchemaIssue, StandardSchema } from './standard-schema.js'
export type { StartingPoint } from './starting-point.js'
export type { StoredMessage, StoredMessageOf } from './stored-message.js'
export type { StreamDeadLetters, DeadLetter, DeadLetterQuery } from './stream-dead-letters.js'
export type { Durability, StreamChanges, StreamOptions } from './stream-options.js'
export type { ReadOptions } from './stream-reading.js'
export type { SubscribeOptions } from './subscribe-options.js'
export type { EmitOptions, InputOf, Refused, ReplyInputOf, ReplyOf, Target } from './target.js'
export type { Transaction, TransactionOf } from './transaction.js'
export type { ParametersOf } from './topic-template.js'
export type { Validation } from './validation.js'
export type { ContentOptions, Where } from './where.js'
