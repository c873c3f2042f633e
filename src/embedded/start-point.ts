// Where reading begins, as a sequence.
import type { StartPoint } from '../engine/index.js'
import type { Log } from '../log/index.js'
import { selectTopics } from './topic-selection.js'

export interface Start {
  readonly position: number
  /** For 'last-per-topic': the sequences wanted, ascending; what lies between is passed over. */
  readonly targets?: readonly number[]
}

export async function resolveStart(
  log: Log,
  start: StartPoint,
  patterns: readonly string[],
): Promise<Start> {
  switch (start.at) {
    case 'first':
      return { position: log.state.firstSequence }
    case 'new':
      return { position: log.acceptedSequence + 1 }
    case 'sequence':
      return { position: Math.max(start.sequence, log.state.firstSequence) }
    case 'time':
      return { position: await log.sequenceAt(start.timeMs) }
    case 'last': {
      await log.settled()
      const last = selectTopics(log, patterns).reduce(
        (latest, { lastSequence }) => Math.max(latest, lastSequence),
        0,
      )
      return { position: last === 0 ? log.acceptedSequence + 1 : last }
    }
    case 'last-per-topic': {
      await log.settled()
      const targets = selectTopics(log, patterns).map(({ lastSequence }) => lastSequence)
      targets.sort((left, right) => left - right)
      return { position: targets[0] ?? log.acceptedSequence + 1, targets }
    }
  }
}
