// What a publish call found out, in one number: receivers reached, somebody over the mark, or nothing known.

/** What a publish call found, packed into one number so that nothing is allocated per message. */
export type PublishOutcome = number

/** Set in an outcome when some receiver is over its mark: the publisher should pause briefly. */
const OVER_MARK = 1
/** Set in an outcome when the engine cannot know how many receivers there are. */
const UNKNOWN_RECEIVERS = 2

export function outcomeOf(receiverCount: number, isOverMark: boolean): PublishOutcome {
  return receiverCount * 4 + (isOverMark ? OVER_MARK : 0)
}

export const outcomeUnknown: PublishOutcome = UNKNOWN_RECEIVERS

export function isOverMark(outcome: PublishOutcome): boolean {
  return (outcome & OVER_MARK) !== 0
}

/** Receivers that were handed the message, or undefined when the engine cannot know. */
export function receiverCount(outcome: PublishOutcome): number | undefined {
  return (outcome & UNKNOWN_RECEIVERS) !== 0 ? undefined : Math.floor(outcome / 4)
}

/** Whether the engine knows that nobody received the message. */
export function reachedNobody(outcome: PublishOutcome): boolean {
  return outcome < 2
}
