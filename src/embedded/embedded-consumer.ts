// A consumer of the embedded engine: reads its stream upwards, hands messages to members that have credit, and keeps in the
// ledger what became of each. The ledger decides; this class reads, writes, delivers and rings when a moment has come.
import { FanfareError, type Alarm } from '../base/index.js'
import { ConsumerLedger } from '../delivery/index.js'
import {
  differingFields,
  type Consumer,
  type ConsumerInfo,
  type ConsumerMember,
  type ConsumerReceiver,
  type ConsumerSettings,
  type StoredMessage,
  type VerdictDone,
} from '../engine/index.js'
import type { NoteLevel, NoteOwner } from '../log/index.js'
import { inBackground } from './background.js'
import type { ConsumerHome } from './consumer-home.js'
import {
  encodeConsumerSnapshot,
  encodeLedgerNote,
  encodeTermsNote,
  ledgerOptionsOf,
  type ConsumerTerms,
  type RecoveredConsumer,
} from './consumer-record.js'
import { DeadLetterDesk } from './dead-letter-desk.js'
import { HandOutBatch, type BatchItem } from './hand-out-batch.js'
import { Member } from './member.js'
import { MessageSource } from './message-source.js'
import { PendingCount } from './pending-count.js'
import type { Interested } from './retention.js'
import { resolveStart } from './start-point.js'
import type { StreamSite } from './stream-site.js'

/** Hand-outs after which other work of the process gets its turn. */
const MOST_IN_ONE_GO = 1_024

/** How long to wait when attempts could not be written. */
const TRY_AGAIN_MS = 1_000

export class EmbeddedConsumer implements Consumer, NoteOwner, Interested {
  readonly #site: StreamSite
  readonly #home: ConsumerHome
  readonly #desk: DeadLetterDesk
  readonly #members: Member[] = []
  /** What is in flight, by token. */
  readonly #inFlight = new Map<number, BatchItem>()
  readonly #pending: PendingCount
  /** Letters that are being read to be handed out again. */
  readonly #calledBack = new Set<number>()
  readonly #source: MessageSource
  #terms: ConsumerTerms
  #ledger: ConsumerLedger
  #alarm: Alarm | undefined
  #inactivity: Alarm | undefined
  #turn = 0
  /** When to try again to write attempts that could not be written. */
  #tryAgainMs = Infinity
  #starting: Promise<void> = Promise.resolve()
  /** The loop that hands out is at work; and whether it shall look once more. */
  #isRunning = false
  #isCalled = false
  #isNoteDue = false
  /** A note was lost: the next one says everything. */
  #mustRestate = false
  #toldStall: string | undefined
  /** Why nothing can be asked of it any more. */
  #ended: FanfareError | undefined
  #isStarted = false

  constructor(
    site: StreamSite,
    home: ConsumerHome,
    settings: ConsumerSettings,
    recovered?: RecoveredConsumer,
  ) {
    this.#site = site
    this.#home = home
    this.#terms = recovered?.terms ?? { settings }
    this.#ledger = recovered?.ledger ?? new ConsumerLedger(ledgerOptionsOf(settings), 1)
    this.#pending = new PendingCount(home.log, site.topicAt)
    this.#source = new MessageSource(
      site,
      home,
      () => this.#terms,
      () => this.#pump(),
    )
    this.#desk = new DeadLetterDesk(site, home, {
      settings: () => this.settings,
      ledger: () => this.#ledger,
      read: (id) => this.#source.read(id),
      note: () => this.#writeNote('fsync'),
      settled: (id) => this.#settled(id),
      changed: () => this.#pump(),
    })
  }

  get name(): string {
    return this.settings.name
  }

  get settings(): ConsumerSettings {
    return this.#terms.settings
  }

  get streamName(): string {
    return this.#home.name
  }

  get isDeleted(): boolean {
    return this.#ended !== undefined
  }

  /** Where what is known of this consumer lies in the store. */
  get ownerName(): string {
    return consumerOwnerName(this.#home.name, this.name)
  }

  /** Whether its state survives a restart. */
  get isPersistent(): boolean {
    return this.settings.isDurable && this.#home.log.settings.durability !== 'memory'
  }

  /** Resolves when it hands out. */
  get whenStarted(): Promise<void> {
    return this.#starting
  }

  /** Finds its place in the stream, or goes on where an earlier life stopped, and begins. */
  start(isRecovered = false): Promise<void> {
    this.#starting = this.#start(isRecovered)
    return this.#starting
  }

  async #start(isRecovered: boolean): Promise<void> {
    if (!isRecovered) await this.#findPlace()
    if (this.isPersistent) await this.#adopt(isRecovered)
    await this.#resume()
  }

  async info(): Promise<ConsumerInfo> {
    this.#assertThere()
    const ledger = this.#ledger
    return {
      settings: this.settings,
      floorSequence: ledger.floor,
      deliveredSequence: ledger.deliveredSequence,
      lastToken: ledger.lastToken,
      inFlight: ledger.inFlight,
      redelivering: ledger.redelivering,
      pending: this.#pending.count,
      members: this.#members.length,
      isPaused: this.#isPaused,
      ...(ledger.stalledBy === undefined ? {} : { stalledBy: ledger.stalledBy }),
      unsettled: this.#desk.waiting,
    }
  }

  join(receiver: ConsumerReceiver): ConsumerMember {
    this.#assertThere()
    const member = new Member(
      receiver,
      () => this.#pump(),
      () => this.#leave(member),
    )
    this.#members.push(member)
    this.#watchInactivity()
    return member
  }

  acknowledge(token: number, done?: VerdictDone): boolean {
    if (!this.isInFlight(token)) {
      done?.(staleError(this, token))
      return false
    }
    if (done === undefined && this.#inFlight.get(token)!.id > 0) {
      this.#settle(token)
      this.#noteSoon()
    } else {
      this.#site.store.beginUnit()
      this.acknowledgeInUnit(token)
      this.#site.store.endUnit(done)
    }
    this.#pump()
    return true
  }

  /**
   * Settles with the unit at hand; the caller has seen that the token is good. Answers what takes it back when the unit
   * could not be committed.
   */
  acknowledgeInUnit(token: number): () => void {
    const settlement = this.#ledger.findHandOut(token)
    this.#settle(token)
    this.#writeNote('fsync')
    return () => {
      if (settlement !== undefined) this.#ledger.revive(settlement)
      this.#pump()
    }
  }

  /** Whether a verdict on `token` would count. */
  isInFlight(token: number): boolean {
    return this.#inFlight.has(token)
  }

  release(token: number): boolean {
    return this.#giveBack(token, () => this.#ledger.release(token))
  }

  retry(token: number, delayMs?: number, error?: string): boolean {
    const nowMs = this.#site.clock.nowMs()
    return this.#giveBack(token, () => this.#ledger.retry(token, nowMs, delayMs, error))
  }

  reject(token: number, reason: string, isUndecodable = false): boolean {
    const kind = isUndecodable ? 'undecodable' : 'rejected'
    return this.#giveBack(token, () => this.#ledger.fail(token, kind, reason))
  }

  extend(token: number): boolean {
    const isGood = this.isInFlight(token) && this.#ledger.extend(token, this.#site.clock.nowMs())
    if (isGood) this.#arm()
    return isGood
  }

  async pause(untilMs = 0): Promise<void> {
    this.#assertThere()
    await this.#changeTerms({ ...this.#terms, pausedUntilMs: untilMs })
    this.#arm()
  }

  async resume(): Promise<void> {
    this.#assertThere()
    await this.#changeTerms({ ...this.#terms, pausedUntilMs: undefined })
    this.#pump()
  }

  /** Takes other settings; what is in flight is handed out anew. */
  async update(settings: ConsumerSettings): Promise<void> {
    if (differingFields(settings, this.settings).length === 0) return
    const snapshot = this.#ledger.snapshot()
    for (const [token, { member }] of this.#inFlight) {
      member.tokens.delete(token)
      member.receiver.expired?.(token)
    }
    this.#inFlight.clear()
    this.#ledger = ConsumerLedger.restore(ledgerOptionsOf(settings), snapshot, [])
    await this.#changeTerms({ ...this.#terms, settings })
    await this.#resume()
  }

  /** Ends it: members are told, what is known of it is forgotten. */
  async delete(reason: FanfareError): Promise<void> {
    const wasPersistent = this.isPersistent
    this.#end(reason)
    if (!wasPersistent) return
    await new Promise<void>((resolve, reject) => {
      this.#site.store.disown(this.ownerName, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Stops without forgetting: the engine closes. */
  stop(reason: FanfareError): void {
    this.#writeNote('rides')
    this.#end(reason)
  }

  snapshot(): Uint8Array {
    const terms = { ...this.#terms, targets: this.#source.targets }
    return encodeConsumerSnapshot(terms, this.#ledger)
  }

  wants(topic: string): boolean {
    return this.#source.filter.matches(topic)
  }

  hasSettled(sequence: number): boolean {
    return this.#ledger.isSettled(sequence)
  }

  /** A message that this consumer wants was accepted. */
  messageAccepted(): void {
    this.#pending.count += 1
  }

  messagesCommitted(): void {
    if (this.#pending.count > 0) this.#pump()
  }

  /** Accepted messages were lost. */
  messagesLost(): void {
    inBackground(this.#countPending(), this.#site)
  }

  messageRemoved(sequence: number, topic: string): void {
    if (sequence > this.#ledger.deliveredSequence && this.wants(topic)) this.#pending.count -= 1
  }

  /** Hands out letters of this consumer again, the oldest original first; they leave the box when they are settled. */
  async redrive(sequences: readonly number[], wholeKeys: readonly string[]): Promise<number> {
    const known = new Set(this.#ledger.redrivenIds)
    const wanted = sequences.filter(
      (sequence) => !known.has(-sequence) && !this.#calledBack.has(sequence),
    )
    for (const sequence of wanted) this.#calledBack.add(sequence)
    let count = 0
    for (const sequence of wanted) {
      if (await this.#offerRedriven(sequence)) count += 1
      this.#calledBack.delete(sequence)
    }
    for (const key of wholeKeys) this.#ledger.unpark(key)
    await this.#noted()
    this.#pump()
    return count
  }

  /** Keys whose followers are parked go on once nothing of theirs is left among the dead letters. */
  unparkInUnit(keys: readonly string[]): void {
    for (const key of keys) this.#ledger.unpark(key)
    this.#writeNote('fsync')
    this.#pump()
  }

  /** Gives up the redrive of a letter that is to be discarded; false when it is in flight. */
  abandonRedrive(sequence: number): boolean {
    for (const { id } of this.#inFlight.values()) if (id === -sequence) return false
    this.#ledger.forget(-sequence)
    this.#noteSoon()
    return true
  }

  get #isPaused(): boolean {
    const { pausedUntilMs } = this.#terms
    if (pausedUntilMs === undefined) return false
    return pausedUntilMs === 0 || pausedUntilMs > this.#site.clock.nowMs()
  }

  async #findPlace(): Promise<void> {
    const { start, topics } = this.settings
    const { position, targets } = await resolveStart(this.#home.log, start, topics)
    this.#source.targets = targets
    this.#ledger = new ConsumerLedger(ledgerOptionsOf(this.settings), position)
  }

  /** Answers for its state from now on; for a new consumer, durable when it resolves. */
  #adopt(isRecovered: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#site.store.adopt(this.ownerName, this, (error) => (error ? reject(error) : resolve()))
      if (isRecovered) resolve()
    })
  }

  /** Reads on from the ledger's position. */
  async #resume(): Promise<void> {
    this.#isStarted = false
    this.#source.begin(this.#ledger.position)
    await this.#countPending()
    for (const id of this.#ledger.redrivenIds) await this.#offerRedriven(-id)
    this.#isStarted = true
    this.#watchInactivity()
    this.#pump()
  }

  async #countPending(): Promise<void> {
    const { filter } = this.#source
    const from = this.#ledger.lookedThrough + 1
    const untouched = this.#ledger.countUntouched()
    await this.#pending.recount(from, untouched, filter, () => this.#site.store.flush())
  }

  // ---- handing out -------------------------------------------------------------------------------------------------

  /** Something became possible: hands out as much as members, ledger and stream allow. */
  #pump(): void {
    this.#isCalled = true
    if (this.#isRunning || !this.#isStarted || this.isDeleted) return
    this.#isRunning = true
    inBackground(this.#run(), this.#site)
  }

  async #run(): Promise<void> {
    let inOneGo = 0
    while (this.#isCalled && !this.isDeleted) {
      this.#isCalled = false
      this.#desk.work()
      const batch = new HandOutBatch()
      if (!this.#isPaused) this.#fill(batch)
      if (batch.isEmpty) continue
      this.#isCalled = true
      if (!(await this.#writeAttempts(batch))) break
      await this.#deliver(batch)
      inOneGo += batch.items.length
      if (inOneGo < MOST_IN_ONE_GO) continue
      await new Promise<void>((resolve) => this.#site.clock.defer(resolve))
      inOneGo = 0
    }
    this.#isRunning = false
    this.#arm()
    this.#tellStall()
  }

  #fill(batch: HandOutBatch): void {
    const nowMs = this.#site.clock.nowMs()
    while (!batch.isFull) {
      const member = this.#nextMember()
      if (member === undefined) return
      const next = this.#ledger.take(nowMs)
      if (next === undefined) {
        if (!this.#ledger.wantsMore) return
        if (this.#source.readOn(this.#ledger)) continue
        if (this.#source.isAtEnd && this.settings.order === 'stream') this.#pending.count = 0
        return
      }
      const { id, token, deliveryCount, isRedelivery } = next
      const message = this.#source.takeKept(id)
      if (!isRedelivery && id > 0) this.#pending.count -= 1
      member.credit -= 1
      const pending = this.#pending.count
      const item: BatchItem = { id, token, deliveryCount, pending, member, message }
      if (this.settings.acknowledge !== 'none') {
        member.tokens.add(token)
        this.#inFlight.set(token, item)
      }
      batch.add(item)
    }
  }

  #nextMember(): Member | undefined {
    const count = this.#members.length
    for (let tries = 0; tries < count; tries++) {
      this.#turn = (this.#turn + 1) % count
      const member = this.#members[this.#turn]!
      if (member.credit > 0) return member
    }
    return undefined
  }

  /** An attempt is written before its hand-out; false: it could not be, and everything is as before. */
  async #writeAttempts(batch: HandOutBatch): Promise<boolean> {
    if (!this.isPersistent) return true
    const error = await new Promise<FanfareError | undefined>((resolve) => {
      this.#writeNote('written', resolve)
    })
    if (error === undefined) return true
    for (const { token, member } of batch.items) {
      this.#takeBack(token)
      member.credit += 1
    }
    this.#site.report({ type: 'engine-error', error })
    this.#tryAgainMs = this.#site.clock.nowMs() + TRY_AGAIN_MS
    return false
  }

  async #deliver(batch: HandOutBatch): Promise<void> {
    const isSettled = this.settings.acknowledge === 'none'
    for (const item of batch.items) {
      const message = item.message ?? (await this.#source.read(item.id))
      if (!isSettled && this.#inFlight.get(item.token) !== item) continue
      if (message === undefined) this.#vanished(item)
      else if (this.#isTooOld(message)) this.#expireAge(item)
      else this.#deliverOne(batch, item, message)
      if (isSettled) this.#settled(item.id)
    }
  }

  #deliverOne(batch: HandOutBatch, item: BatchItem, message: StoredMessage): void {
    try {
      batch.deliver(item, message, this)
    } catch (error) {
      this.#site.report({ type: 'receiver-failed', pattern: this.name, error })
      this.retry(item.token, undefined, String(error))
    }
  }

  #isTooOld(message: StoredMessage): boolean {
    const { maxMessageAgeMs } = this.settings
    return (
      maxMessageAgeMs !== undefined && this.#site.clock.nowMs() - message.timeMs > maxMessageAgeMs
    )
  }

  /** Given up before it reached a member, whose credit it does not use. */
  #expireAge({ token, id, member }: BatchItem): void {
    this.#drop(token)
    member.credit += 1
    this.#ledger.giveUp(id, 'expired', `older than ${this.settings.maxMessageAgeMs} ms`)
  }

  /** A message that the stream's limits removed before it could be handed out. */
  #vanished({ token, id, member }: BatchItem): void {
    this.#drop(token)
    member.credit += 1
    this.#ledger.forget(id)
  }

  async #offerRedriven(sequence: number): Promise<boolean> {
    const message = await this.#source.read(-sequence)
    if (message === undefined) this.#ledger.forget(-sequence)
    else this.#ledger.offerRedriven(sequence, this.#source.keyOf(message))
    return message !== undefined
  }

  // ---- verdicts and ends of waits ----------------------------------------------------------------------------------

  #settle(token: number): void {
    if (this.settings.acknowledge === 'all') {
      this.#ledger.settleThrough(token)
      for (const earlier of [...this.#inFlight.keys()]) {
        if (earlier <= token) this.#settled(this.#drop(earlier))
      }
    } else if (this.#ledger.settle(token)) this.#settled(this.#drop(token))
  }

  /** The message is done with: the stream may let it go, and a letter leaves its box. */
  #settled(id: number | undefined): void {
    if (id === undefined) return
    if (id > 0) this.#home.retention.settled(id, this)
    else this.#source.box?.settle(-id)
  }

  #giveBack(token: number, give: () => boolean): boolean {
    if (!this.isInFlight(token) || !give()) return false
    this.#drop(token)
    this.#noteSoon()
    this.#pump()
    return true
  }

  #takeBack(token: number): void {
    this.#ledger.giveBack(token)
    this.#drop(token)
  }

  /** Takes a hand-out out of flight; answers the id of its message. */
  #drop(token: number): number | undefined {
    const item = this.#inFlight.get(token)
    item?.member.tokens.delete(token)
    this.#inFlight.delete(token)
    return item?.id
  }

  #leave(member: Member): void {
    this.#members.splice(this.#members.indexOf(member), 1)
    for (const token of [...member.tokens]) this.#takeBack(token)
    this.#noteSoon()
    this.#watchInactivity()
    this.#pump()
  }

  #expireWaits(): void {
    this.#ledger.expire(this.#site.clock.nowMs(), (token) => {
      const item = this.#inFlight.get(token)
      this.#drop(token)
      item?.member.receiver.expired?.(token)
    })
    this.#noteSoon()
  }

  /** Rings when the next wait is over, a retry is due, or a pause ends. */
  #arm(): void {
    this.#site.alarms.cancel(this.#alarm)
    this.#alarm = undefined
    if (this.isDeleted) return
    const { pausedUntilMs } = this.#terms
    const resumesMs = pausedUntilMs === undefined || pausedUntilMs === 0 ? Infinity : pausedUntilMs
    const nextMs = Math.min(
      this.#ledger.nextDeadlineMs ?? Infinity,
      this.#source.dueMs,
      this.#tryAgainMs,
      resumesMs,
    )
    if (nextMs === Infinity) return
    this.#alarm = this.#site.alarms.set(Math.max(0, nextMs - this.#site.clock.nowMs()), () => {
      this.#alarm = undefined
      this.#source.dueMs = this.#tryAgainMs = Infinity
      if (this.#terms.pausedUntilMs !== undefined && !this.#isPaused) {
        this.#terms = { ...this.#terms, pausedUntilMs: undefined }
      }
      this.#expireWaits()
      this.#pump()
    })
  }

  #watchInactivity(): void {
    this.#site.alarms.cancel(this.#inactivity)
    this.#inactivity = undefined
    const { isDurable, inactiveMs, name } = this.settings
    if (isDurable || inactiveMs === 0 || this.#members.length > 0 || this.isDeleted) return
    this.#inactivity = this.#site.alarms.set(inactiveMs, () => {
      const reason = `nobody joined for ${inactiveMs} ms`
      this.#site.report({ type: 'consumer-ended', stream: this.#home.name, consumer: name, reason })
      inBackground(this.#home.deleteConsumer(name), this.#site)
    })
  }

  #tellStall(): void {
    const key = this.#ledger.stalledBy
    if (key === this.#toldStall) return
    this.#toldStall = key
    if (key === undefined) return
    this.#site.report({
      type: 'consumer-stalled',
      stream: this.#home.name,
      consumer: this.name,
      key,
    })
  }

  // ---- keeping -----------------------------------------------------------------------------------------------------

  /** Writes what changed in the ledger; consumers that do not survive a restart write nothing. */
  #writeNote(level: NoteLevel, done?: VerdictDone): void {
    if (!this.isPersistent) {
      done?.()
      return
    }
    const change = this.#ledger.takeNote()
    const note = this.#mustRestate ? this.#ledger.snapshot() : change
    this.#mustRestate = false
    if (note === undefined) {
      done?.()
      return
    }
    this.#site.store.note(this.ownerName, encodeLedgerNote(note), level, (error) => {
      // The next note builds upon one that is not there.
      if (error !== undefined) this.#mustRestate = true
      done?.(error)
    })
  }

  /** Plain verdicts of one turn go in one note, which rides with the next commit. */
  #noteSoon(): void {
    if (this.#isNoteDue || !this.isPersistent) return
    this.#isNoteDue = true
    this.#site.clock.afterTurn(() => {
      this.#isNoteDue = false
      if (!this.isDeleted) this.#writeNote('rides')
    })
  }

  #noted(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writeNote('fsync', (error) => (error ? reject(error) : resolve()))
    })
  }

  async #changeTerms(terms: ConsumerTerms): Promise<void> {
    this.#terms = terms
    if (!this.isPersistent) return
    await new Promise<void>((resolve, reject) => {
      this.#site.store.note(this.ownerName, encodeTermsNote(terms), 'fsync', (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }

  #assertThere(): void {
    if (this.#ended !== undefined) throw this.#ended
  }

  #end(reason: FanfareError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#desk.close()
    this.#source.close()
    this.#site.alarms.cancel(this.#alarm)
    this.#site.alarms.cancel(this.#inactivity)
    for (const { receiver } of this.#members.splice(0)) receiver.ended(reason)
    this.#inFlight.clear()
  }
}

const OWNER_PREFIX = 'consumer/'

export function consumerOwnerName(stream: string, consumer: string): string {
  return `${OWNER_PREFIX}${stream}/${consumer}`
}

/** The stream of the consumer that an owner's name stands for, or undefined when it is none. */
export function streamOfConsumerOwner(owner: string): string | undefined {
  return owner.startsWith(OWNER_PREFIX) ? owner.split('/')[1] : undefined
}

function staleError({ name }: Consumer, token: number): FanfareError {
  return new FanfareError(
    'TOKEN_STALE',
    `hand-out ${token} of consumer ${name} is over: it was settled, its wait has passed, or its member left`,
    { details: { consumer: name, token } },
  )
}
