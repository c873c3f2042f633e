// The last life: everything that was not settled is handed out and acknowledged, and nothing else happens.
import type { Consumer, ConsumerInfo, Durable } from '../../src/engine/index.js'
import type { Diary } from './diary.js'
import { Violation } from './violation.js'
import { consumerId, CONSUMERS, numberOf } from './world.js'

const CREDIT = 16
/** Turns without a hand-out, with nothing pending, after which nothing more comes. */
const QUIET_TURNS = 30

export interface LastPlace {
  readonly durable: Durable
  readonly diary: Diary
  /** Lets everything else have its turn; time passes. */
  turn(): Promise<void>
  /** Turns that nothing takes that does not hang. */
  readonly mostTurns: number
}

export async function handOutTheRest(place: LastPlace): Promise<void> {
  const consumers: Consumer[] = []
  let moved = 0
  for (const one of CONSUMERS) {
    const stream = await place.durable.findStream(one.stream)
    const consumer = await stream?.findConsumer(one.settings.name)
    if (consumer === undefined) continue
    consumers.push(consumer)
    joinAcknowledging(consumer, consumerId(one), place.diary, () => (moved += 1))
  }
  let quiet = 0
  for (let turn = 0; quiet < QUIET_TURNS; turn++) {
    const before = moved
    await place.turn()
    const busy = (await Promise.all(consumers.map((consumer) => consumer.info()))).filter(isBusy)
    quiet = moved === before && busy.length === 0 ? quiet + 1 : 0
    if (turn > place.mostTurns) {
      throw new Violation(`the rest is never handed out: ${JSON.stringify(busy)}`)
    }
  }
}

function joinAcknowledging(
  consumer: Consumer,
  id: string,
  diary: Diary,
  handedOut: () => void,
): void {
  const member = consumer.join({
    deliver: ({ message, token, deliveryCount }) => {
      handedOut()
      const number = numberOf(message.body) ?? 0
      const { sequence } = message
      diary.write({ kind: 'handed-out', consumer: id, number, sequence, token, deliveryCount })
      diary.write({ kind: 'ask-verdict', consumer: id, number, verdict: 'acknowledge-safely' })
      const isGood = consumer.acknowledge(token, (error) => {
        if (error === undefined) diary.write({ kind: 'settled', consumer: id, number })
        member.grant(1)
      })
      if (!isGood) diary.write({ kind: 'fault', text: `${id}: token ${token} is stale at once` })
    },
    ended: () => {},
  })
  member.grant(CREDIT)
}

function isBusy({ inFlight, redelivering, unsettled }: ConsumerInfo): boolean {
  return inFlight + redelivering + unsettled > 0
}
