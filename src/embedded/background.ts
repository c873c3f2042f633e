// Work that nobody waits for: what goes wrong in it is told as an event, and that its engine or stream ended meanwhile is no
// trouble.
import { FanfareError } from '../base/index.js'
import type { EngineEvent } from '../engine/index.js'

const ENDINGS: readonly string[] = ['CLOSED', 'STREAM_DELETED', 'CONSUMER_DELETED']

export function inBackground(
  work: Promise<unknown>,
  { report }: { report(event: EngineEvent): void },
): void {
  work.catch((cause: unknown) => {
    const error = FanfareError.is(cause)
      ? cause
      : new FanfareError('INTERNAL', 'work of a stream failed', { cause })
    if (!ENDINGS.includes(error.code)) report({ type: 'engine-error', error })
  })
}
