// The message that parsers fill: one for the whole server, as it is valid only while one PUB is handled.
import { BytesMessage } from '../engine/index.js'
import { TopicHandle } from '../topic/index.js'
import type { PublishFrame } from '../wire/operations/index.js'

export class IncomingMessage extends BytesMessage implements PublishFrame {
  subjectStart = 0
  subjectEnd = 0

  constructor() {
    super(new TopicHandle('', new Uint8Array(0), 0))
  }
}
