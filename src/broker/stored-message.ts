// A message of a stream, as it is read.
import type { StoredMessage as EngineMessage } from '../engine/index.js'
import type { TopicOf } from './declared.js'
import type { AnyDefinition } from './definition.js'
import type { MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { ReceivedMessage } from './received-message.js'
import type { Described, Selected } from './source.js'
import type { ParametersOf } from './topic-template.js'

export interface StoredMessage<
  Data = unknown,
  Parameters = Readonly<Record<string, string>>,
  Type extends string = string,
  Topic extends string = string,
> extends Message<Data, Parameters, Type, Topic> {
  /** The name of the stream that keeps it. */
  readonly stream: string
  /** Its number in the stream. */
  readonly sequence: number
}

/** The stored message that a source yields; of a pattern, those of events and commands, as queries are never stored. */
export type StoredMessageOf<S, C = undefined> = StoredMessageOfDefinition<
  Selected<S, C, 'event' | 'command'>
>

type StoredMessageOfDefinition<D> =
  D extends Described<infer Template extends string, infer Type extends string, infer Output>
    ? StoredMessage<Output, ParametersOf<Template>, Type, TopicOf<Template>>
    : StoredMessage

export class ReadMessage extends ReceivedMessage implements StoredMessage {
  readonly stream: string
  readonly sequence: number

  /** Takes a copy: `message` is valid during the call only. */
  constructor(
    stream: string,
    message: EngineMessage,
    context: MessageContext,
    definition: AnyDefinition | undefined,
  ) {
    super(message.retain(), context, definition, message.timeMs)
    this.stream = stream
    this.sequence = message.sequence
  }

  /** The same at every hand-out and every reading, so that a handler can tell what it has seen. */
  protected override makeId(): string {
    return `${this.stream}:${this.sequence}:${this.arrivedAtMs.toString(36)}`
  }
}
