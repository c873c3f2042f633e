// Who gets a message on one topic, in the form that fan-out reads: the plain subscriptions, one entry per group, and the stream
// that captures it with those of its consumers that want it.
import type { Random } from '../base/index.js'
import type { PatternIndex } from '../topic/index.js'
import type { EmbeddedConsumer } from './embedded-consumer.js'
import type { EmbeddedStream } from './embedded-stream.js'
import type { EmbeddedSubscription } from './embedded-subscription.js'

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

  /** The member whose turn it is, passing over those that have closed. */
  takeTurn(): EmbeddedSubscription | undefined {
    const count = this.members.length
    for (let tries = 0; tries < count; tries++) {
      this.#turn = (this.#turn + 1) % count
      const member = this.members[this.#turn]!
      if (!member.isClosed) return member
    }
    return undefined
  }
}

/** Immutable but for the groups' turns: a change of subscriptions makes a new one, so a fan-out may go on over the old. */
export class Interest {
  readonly plain: readonly EmbeddedSubscription[]
  readonly groups: readonly GroupInterest[]
  readonly stream: EmbeddedStream | undefined
  readonly consumers: readonly EmbeddedConsumer[]

  constructor(
    plain: readonly EmbeddedSubscription[],
    groups: readonly GroupInterest[],
    stream: EmbeddedStream | undefined,
    consumers: readonly EmbeddedConsumer[],
  ) {
    this.plain = plain
    this.groups = groups
    this.stream = stream
    this.consumers = consumers
  }

  /** Live receivers; a stream is none. */
  get receiverCount(): number {
    return this.plain.length + this.groups.length
  }
}

/** Collects the interest in `topic`. Groups of one name are one group, even over different patterns, as in NATS. */
export function collectInterest(
  index: PatternIndex<EmbeddedSubscription>,
  topic: string,
  random: Random,
  stream: EmbeddedStream | undefined,
): Interest {
  const plain: EmbeddedSubscription[] = []
  const groups: GroupInterest[] = []
  index.forEachMatch(topic, (subscription) => {
    const name = subscription.group
    if (name === undefined) {
      plain.push(subscription)
      return
    }
    let group = groups.find((candidate) => candidate.name === name)
    if (group === undefined) {
      group = new GroupInterest(name, random.nextUint32())
      groups.push(group)
    }
    group.members.push(subscription)
  })
  return new Interest(plain, groups, stream, stream?.consumersOf(topic) ?? [])
}
