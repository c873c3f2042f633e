// Reading a stream: what is there, or what is there and everything that comes.
import type { FanfareError, Timer } from '../base/index.js'
import type {
  ConsumerReceiver,
  ConsumerSettings,
  HandOut,
  ReadOptions as EngineReadOptions,
  Stream as EngineStream,
} from '../engine/index.js'
import { Filter } from '../filter/index.js'
import type { Selection } from './catalog-index.js'
import { defaultConsumerSettings } from './consume-options.js'
import { PART_NAMES, toFilterPattern } from './content-filter.js'
import type { Catalog } from './declared.js'
import type { DurableHost } from './durable-host.js'
import { nextIdentifier } from './live-message.js'
import { refuseUnknownOptions, wholeNumber } from './option-checks.js'
import type { Sources } from './source.js'
import { toStartPoint, type StartingPoint } from './starting-point.js'
import { ReadMessage } from './stored-message.js'
import type { PayloadOf, Receivable } from './target.js'
import { CONTENT_OPTION_NAMES, type ContentOptions } from './where.js'

export interface ReadOptions<
  S = undefined,
  C extends Catalog | undefined = undefined,
> extends ContentOptions<PayloadOf<S, C, 'event' | 'command'>> {
  /** Default 'first'. */
  readonly from?: StartingPoint
  /** What one of must match: a definition, topic, pattern or type, or several; default: every topic of the stream. */
  readonly topics?: S & Receivable<S, C, 'consume'>
  /** Messages to read at most; default: no limit. */
  readonly limit?: number
  /**
   * Waits for further messages at the end. Default: false, reading ends with the last message there was when it began; true
   * for from 'new'.
   */
  readonly follow?: boolean
  /** Ends the loop: it rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const READ_OPTIONS: ReadonlySet<string> = new Set<keyof ReadOptions>([
  'from',
  'topics',
  'limit',
  'follow',
  'signal',
  ...CONTENT_OPTION_NAMES,
])

/** Messages that wait for the loop while it follows. */
const READ_AHEAD = 256

/** A follower that has gone is forgotten after this long, if it could not say so. */
const FOLLOWER_INACTIVE_MS = 60_000

const KEEP_ALIVE_MS = 1e12

/** Checks the options at once; reading begins with the first message that is asked for. */
export function readStream(
  host: DurableHost,
  stream: EngineStream,
  options: ReadOptions,
): AsyncGenerator<ReadMessage, void, undefined> {
  refuseUnknownOptions('stream.read', options, READ_OPTIONS)
  const { from = 'first', limit = Infinity, signal, topics } = options
  if (limit !== Infinity) wholeNumber('limit', limit, 0)
  const start = toStartPoint(from, host.clock.nowMs())
  const selection = topics === undefined ? undefined : host.select('consume', topics as Sources)
  const patterns = selection?.patterns ?? []
  const present = presenter(host, stream.name, selection)
  const isFollowing = options.follow ?? from === 'new'
  const range = { start, topics: patterns, ...checkedFilter(options) }
  return isFollowing
    ? follow(host, stream, range, limit, signal, present)
    : readStored(stream, range, limit, signal, present)
}

function checkedFilter(options: ContentOptions): Pick<EngineReadOptions, 'where'> {
  const where = toFilterPattern(options)
  return where === undefined ? {} : { where: new Filter(where, PART_NAMES).pattern }
}

/** Undefined for a message that the catalog does not know, though a pattern matches it. */
type Present = (message: HandOut['message']) => ReadMessage | undefined

async function* readStored(
  stream: EngineStream,
  range: EngineReadOptions,
  limit: number,
  signal: AbortSignal | undefined,
  present: Present,
): AsyncGenerator<ReadMessage, void, undefined> {
  const { topics = [], ...rest } = range
  const reader = stream.read(topics.length === 0 ? rest : { ...rest, topics })
  try {
    for (let count = 0; count < limit;) {
      signal?.throwIfAborted()
      const next = reader.next()
      const message = next instanceof Promise ? await next : next
      if (message === undefined) return
      const presented = present(message)
      if (presented === undefined) continue
      const checked = presented.check()
      if (checked !== undefined) await checked
      yield presented
      count += 1
    }
  } finally {
    reader.close()
  }
}

async function* follow(
  host: DurableHost,
  stream: EngineStream,
  range: Pick<ConsumerSettings, 'start' | 'topics' | 'where'>,
  limit: number,
  signal: AbortSignal | undefined,
  present: Present,
): AsyncGenerator<ReadMessage, void, undefined> {
  signal?.throwIfAborted()
  const name = `read-${nextIdentifier()}`
  const consumer = await stream.createConsumer({
    ...defaultConsumerSettings(name, stream.name),
    ...range,
    isDurable: false,
    acknowledge: 'none',
    inactiveMs: FOLLOWER_INACTIVE_MS,
  })
  const follower = new Follower(
    present,
    host.clock.startTimer(KEEP_ALIVE_MS, () => {}, { keepsProcessAlive: true }),
  )
  const member = consumer.join(follower)
  const aborted = (): void => follower.wake()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    for (let count = 0; count < limit;) {
      if (follower.queue.length === 0) member.grant(Math.min(READ_AHEAD, limit - count))
      while (follower.queue.length === 0) {
        signal?.throwIfAborted()
        if (follower.endedBy?.code === 'CLOSED') return
        if (follower.endedBy !== undefined) throw follower.endedBy
        await follower.whenWoken()
      }
      const message = follower.queue.shift()
      if (message === undefined) continue
      const checked = message.check()
      if (checked !== undefined) await checked
      yield message
      count += 1
    }
  } finally {
    signal?.removeEventListener('abort', aborted)
    follower.leave()
    member.leave()
    if (!consumer.isDeleted && follower.endedBy === undefined) await stream.deleteConsumer(name)
  }
}

class Follower implements ConsumerReceiver {
  /** Undefined: one that is passed over. */
  readonly queue: (ReadMessage | undefined)[] = []
  endedBy: FanfareError | undefined
  readonly #present: Present
  readonly #keepAlive: Timer
  #wake: (() => void) | undefined

  constructor(present: Present, keepAlive: Timer) {
    this.#present = present
    this.#keepAlive = keepAlive
  }

  deliver({ message }: HandOut): void {
    this.queue.push(this.#present(message))
    this.wake()
  }

  ended(reason: FanfareError): void {
    this.endedBy = reason
    this.leave()
    this.wake()
  }

  /** Resolves at the next message, at the end, or when the signal is aborted. */
  whenWoken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  leave(): void {
    this.#keepAlive.cancel()
  }
}

/** Shows messages by the definition that was asked for, or by the catalog's. */
function presenter(host: DurableHost, stream: string, selection: Selection | undefined): Present {
  return (message) => {
    const topic = message.handle.name
    const definition =
      selection === undefined ? host.findDefinition(topic) : host.definitionIn(selection, topic)
    if (definition === undefined && selection !== undefined && host.isStrict) return undefined
    return new ReadMessage(stream, message, host.context, definition)
  }
}
