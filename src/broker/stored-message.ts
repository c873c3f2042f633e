// A message of a stream, as it is read.
import type { StoredMessage as EngineMessage } from '../engine/index.js'
import type { AnyDefinition, Definition, MessageKind } from './definition.js'
import type { MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { ReceivedMessage } from './received-message.js'
import type { ParametersOf } from './topic-template.js'

export interface StoredMessage<
  Data = unknown,
  Parameters = Readonly<Record<string, string>>,
> extends Message<Data, Parameters> {
  /** The name of the stream that keeps it. */
  readonly stream: string
  /** Its number in the stream. */
  readonly sequence: number
}

/** The stored message that a source yields. */
export type StoredMessageOf<S> =
  S extends Definition<MessageKind, infer Template, unknown, infer Output>
    ? StoredMessage<Output, ParametersOf<Template>>
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
