// Who gets a message on one topic, in the form that fan-out reads: the plain subscriptions, those that filter, one entry per group,
// and the stream that captures it with those of its consumers that want it.
import type { Random } from '../base/index.js'
import type { PatternIndex } from '../topic/index.js'
import type { EmbeddedConsumer } from './embedded-consumer.js'
import type { EmbeddedStream } from './embedded-stream.js'
import type { EmbeddedSubscription } from './embedded-subscription.js'

/** Whether the filter of a subscription takes the message at hand. */
export type AskFilter = (subscription: EmbeddedSubscription) => boolean

/** The members of one group on one topic, from whichever patterns they came. */
export class GroupInterest {
  readonly name: string
  readonly members: EmbeddedSubscription[] = []
  #turn: number

  /** `turn` is any whole number: a topic used once must not always pick the first member. */
  constructor(name: string, turn: number) {
    this.name = name
    this.#turn = turn
  }

  /** The member whose turn it is, passing over those that have closed and those that a filter says no for. */
  takeTurn(admits?: AskFilter): EmbeddedSubscription | undefined {
    const count = this.members.length
    for (let tries = 0; tries < count; tries++) {
      this.#turn = (this.#turn + 1) % count
      const member = this.members[this.#turn]!
      if (isReached(member, admits)) return member
    }
    return undefined
  }

  /** Whether somebody would have a turn. */
  isReached(admits: AskFilter): boolean {
    return this.members.some((member) => isReached(member, admits))
  }
}

function isReached(member: EmbeddedSubscription, admits: AskFilter | undefined): boolean {
  return !member.isClosed && (admits === undefined || !member.isFiltering || admits(member))
}

/** Immutable but for the groups' turns: a change of subscriptions makes a new one, so a fan-out may go on over the old. */
export class Interest {
  readonly plain: readonly EmbeddedSubscription[]
  /** In no group, and of some messages only. */
  readonly filtering: readonly EmbeddedSubscription[]
  readonly groups: readonly GroupInterest[]
  /** Whether anybody filters, members of groups included. */
  readonly isFiltering: boolean
  readonly stream: EmbeddedStream | undefined
  readonly consumers: readonly EmbeddedConsumer[]

  constructor(
    plain: readonly EmbeddedSubscription[],
    filtering: readonly EmbeddedSubscription[],
    groups: readonly GroupInterest[],
    stream: EmbeddedStream | undefined,
    consumers: readonly EmbeddedConsumer[],
  ) {
    this.plain = plain
    this.filtering = filtering
    this.groups = groups
    this.isFiltering = filtering.length > 0 || groups.some(({ members }) => members.some(filters))
    this.stream = stream
    this.consumers = consumers
  }

  /** Live receivers, filters left aside; a stream is none. */
  get receiverCount(): number {
    return this.plain.length + this.filtering.length + this.groups.length
  }

  /** Those that filters let the message at hand through to. */
  countReached(admits: AskFilter): number {
    const filtering = this.filtering.filter((each) => !each.isClosed && admits(each))
    const groups = this.groups.filter((group) => group.isReached(admits))
    return this.plain.length + filtering.length + groups.length
  }
}

function filters({ isFiltering }: EmbeddedSubscription): boolean {
  return isFiltering
}

/** Collects the interest in `topic`. Groups of one name are one group, even over different patterns, as in NATS. */
export function collectInterest(
  index: PatternIndex<EmbeddedSubscription>,
  topic: string,
  random: Random,
  stream: EmbeddedStream | undefined,
): Interest {
  const plain: EmbeddedSubscription[] = []
  const filtering: EmbeddedSubscription[] = []
  const groups: GroupInterest[] = []
  index.forEachMatch(topic, (subscription) => {
    const name = subscription.group
    if (name === undefined) {
      const list = subscription.isFiltering ? filtering : plain
      list.push(subscription)
      return
    }
    let group = groups.find((candidate) => candidate.name === name)
    if (group === undefined) {
      group = new GroupInterest(name, random.nextUint32())
      groups.push(group)
    }
    group.members.push(subscription)
  })
  return new Interest(plain, filtering, groups, stream, stream?.consumersOf(topic) ?? [])
}
