// A broker on the memory engine under a clock that stands still: `run` turns the crank until a promise has settled.
import { VirtualClock } from '../../src/base/index.js'
import { Broker, type BrokerEvent } from '../../src/broker/index.js'
import type { BrokerParts } from '../../src/broker/broker.js'
// Loaded by a broker when first needed; loaded here so that it takes no time then.
import '../../src/broker/durable-verbs.js'
import '../../src/embedded/embedded-durable.js'
import { loadParts } from '../../src/broker/index.js'
import { jsonCodec } from '../../src/codec/index.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { toLiveFilter } from '../../src/broker/live-filter.js'

await loadParts()

/** Turns without any progress that are taken for "nothing more happens". */
const MOST_TURNS = 2_000

export class DurableStage {
  readonly clock = new VirtualClock()
  readonly events: BrokerEvent[] = []
  readonly engine = new EmbeddedEngine({ clock: this.clock })
  readonly broker: Broker

  constructor(parts: Partial<BrokerParts> = {}) {
    this.broker = new Broker({
      engine: this.engine,
      clock: this.clock,
      codec: jsonCodec,
      toLiveFilter,
      onEvent: (event) => void this.events.push(event),
      ...parts,
    })
  }

  /** Resolves as `work` does; fails when nothing that is due now would let it settle. */
  async run<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
    const promise = typeof work === 'function' ? work() : work
    let hasSettled = false
    const settled = (): void => void (hasSettled = true)
    promise.then(settled, settled)
    await this.until(() => hasSettled)
    return promise
  }

  async until(isMet: () => boolean): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if (isMet()) return
      await this.turn()
    }
    throw new Error('it does not happen by itself')
  }

  /** Lets everything that is due now happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await this.turn()
  }

  /** Moves time on, and lets what is due happen. */
  async advance(durationMs: number): Promise<void> {
    await this.settle()
    this.clock.advance(durationMs)
    await this.settle()
  }

  async turn(): Promise<void> {
    // A microtask would not do: an import, of a loaded module too, goes through the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    this.clock.runDeferred()
  }

  eventsOf<Type extends BrokerEvent['type']>(type: Type): Extract<BrokerEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<BrokerEvent, { type: Type }> => event.type === type,
    )
  }
}

/** The code of the error that `work` rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
