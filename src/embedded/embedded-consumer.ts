// A consumer of the embedded engine: reads its stream upwards, hands messages to members that have credit, and keeps in the
// ledger what became of each. The ledger decides; the loop hands out; the notes keep; this class is where they meet, and takes
// the verdicts.
import { FanfareError } from '../base/index.js'
import { ConsumerLedger, type LedgerFailure } from '../delivery/ledger/index.js'
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
import type { FilterView } from '../filter/index.js'
import { inBackground } from './background.js'
import type { ConsumerHome } from './consumer-home.js'
import { ConsumerAlarms } from './consumer-alarms.js'
import { ConsumerNotes, type NotesOwner } from './consumer-notes.js'
import {
  encodeConsumerSnapshot,
  ledgerOptionsOf,
  type ConsumerTerms,
  type RecoveredConsumer,
} from './consumer-record.js'
import { DeadLetterDesk } from './dead-letter-desk.js'
import { toHandOut, type BatchItem } from './hand-out-batch.js'
import { HandOutLoop, type HandOutOwner } from './hand-out-loop.js'
import { InFlight } from './in-flight.js'
import { Member } from './member.js'
import { Members } from './members.js'
import { MessageSource } from './message-source.js'
import { PendingCount, type PendingRange } from './pending-count.js'
import type { Interested } from './interested.js'
import { resolveStart } from './start-point.js'
import type { StreamSite } from './stream-site.js'

export class EmbeddedConsumer implements Consumer, NotesOwner, HandOutOwner, Interested {
  readonly members = new Members()
  readonly pending: PendingCount
  readonly source: MessageSource
  readonly #site: StreamSite
  readonly #home: ConsumerHome
  readonly #desk: DeadLetterDesk
  readonly #loop: HandOutLoop
  readonly #notes: ConsumerNotes
  readonly #alarms: ConsumerAlarms
  readonly #inFlight = new InFlight()
  /** Messages settled in units that are not committed yet. */
  readonly #settling = new Set<number>()
  /** Letters that are being read to be handed out again. */
  readonly #calledBack = new Set<number>()
  #terms: ConsumerTerms
  #ledger: ConsumerLedger
  #starting: Promise<void> = Promise.resolve()
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
    this.pending = new PendingCount(home.log, site)
    this.#loop = new HandOutLoop(site, this)
    this.#notes = new ConsumerNotes(site, this)
    this.#alarms = new ConsumerAlarms(site, () => this.#ring())
    this.source = new MessageSource(
      site,
      home,
      () => this.#terms,
      () => this.#loop.call(),
      this,
    )
    this.#desk = new DeadLetterDesk(site, home, {
      settings: () => this.settings,
      ledger: () => this.#ledger,
      read: (id) => this.source.read(id),
      note: () => this.#notes.write('fsync'),
      bury: ({ id }) => {
        this.#ledger.bury(id)
        this.#settling.add(id)
      },
      unbury: (failure) => {
        this.#settling.delete(failure.id)
        this.#ledger.unbury(failure)
      },
      settled: (failure) => this.#givenUp(failure),
      changed: () => this.#loop.call(),
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

  get ledger(): ConsumerLedger {
    return this.#ledger
  }

  get isRunning(): boolean {
    return this.#isStarted && !this.isDeleted
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
    await this.#notes.adopt(isRecovered)
    await this.#resume()
  }

  async info(): Promise<ConsumerInfo> {
    this.#assertThere()
    if (this.pending.isStale) await this.#countPending()
    const ledger = this.#ledger
    return {
      settings: this.settings,
      floorSequence: ledger.floor,
      deliveredSequence: ledger.deliveredSequence,
      lastToken: ledger.lastToken,
      inFlight: ledger.inFlight,
      redelivering: ledger.redelivering,
      pending: this.pending.count,
      members: this.members.count,
      isPaused: this.isPaused,
      ...(ledger.stalledBy === undefined ? {} : { stalledBy: ledger.stalledBy }),
      unsettled: this.#desk.waiting,
    }
  }

  join(receiver: ConsumerReceiver): ConsumerMember {
    this.#assertThere()
    const member = new Member(
      receiver,
      () => this.#loop.call(),
      () => this.#leave(member),
    )
    this.members.add(member)
    this.#watchInactivity()
    return member
  }

  acknowledge(token: number, done?: VerdictDone): boolean {
    if (!this.isInFlight(token)) {
      done?.(staleError(this, token))
      return false
    }
    if (done === undefined && this.#inFlight.find(token)!.id > 0) {
      for (const id of this.#settle(token)) this.settled(id)
      this.#notes.writeSoon()
    } else {
      this.#site.store.beginUnit()
      const finish = this.acknowledgeInUnit(token)
      this.#site.store.endUnit((error) => {
        finish(error)
        done?.(error)
      })
    }
    this.#loop.call()
    return true
  }

  /**
   * Settles with the unit at hand; the caller has seen that the token is good. Answers what has to be called when the unit is
   * committed, or could not be: then it is taken back. Until then the stream keeps the message, as nothing is certain.
   */
  acknowledgeInUnit(token: number): (error?: FanfareError) => void {
    const settlement = this.#ledger.findHandOut(token)
    const ids = this.#settle(token)
    for (const id of ids) {
      if (id > 0) this.#settling.add(id)
      else this.settled(id)
    }
    this.#notes.write('fsync')
    return (error) => {
      const kept = ids.filter((id) => this.#settling.delete(id))
      if (error === undefined) for (const id of kept) this.settled(id)
      else if (settlement !== undefined) this.#ledger.revive(settlement)
      this.#loop.call()
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
    this.#loop.call()
  }

  /** Takes other settings; what is in flight is handed out anew. */
  async update(settings: ConsumerSettings): Promise<void> {
    if (differingFields(settings, this.settings).length === 0) return
    // Nothing may be offered to the new ledger before the stream is read again from where it begins: what it knows of and does not
    // see in its place it would take for gone.
    this.#isStarted = false
    this.source.close()
    const snapshot = this.#ledger.snapshot()
    for (const { member, token } of this.#inFlight.dropAll()) member.receiver.expired?.(token)
    this.#ledger = ConsumerLedger.restore(ledgerOptionsOf(settings), snapshot, [])
    await this.#changeTerms({ ...this.#terms, settings })
    await this.#resume()
  }

  /** Ends it: members are told, what is known of it is forgotten. */
  async delete(reason: FanfareError): Promise<void> {
    this.#end(reason)
    await this.#notes.disown()
  }

  /** Stops without forgetting: the engine closes. */
  stop(reason: FanfareError): void {
    this.#notes.write('rides')
    this.#end(reason)
  }

  snapshot(): Uint8Array {
    this.lookThrough()
    const terms = { ...this.#terms, targets: this.source.targets }
    return encodeConsumerSnapshot(terms, this.#ledger)
  }

  /** The ledger learns that what the feed passed over is none of its own. */
  lookThrough(): void {
    if (this.isFollowing) this.#ledger.skip(this.#home.feed.position - 1)
  }

  wants(topic: string): boolean {
    return this.source.selection.topics.matches(topic)
  }

  hasSettled(sequence: number): boolean {
    return this.#ledger.isSettled(sequence) && !this.#settling.has(sequence)
  }

  get isByContent(): boolean {
    return this.source.selection.isByContent
  }

  admits(view: FilterView): boolean {
    return this.source.selection.admits(view)
  }

  messageAccepted(): void {
    this.pending.count += 1
  }

  get isFollowing(): boolean {
    return this.source.isFollowing
  }

  take(message: StoredMessage): boolean {
    const ledger = this.#ledger
    if (message.sequence < ledger.position) return true
    if (!this.isRunning || this.isPaused || !this.members.haveCredit) return false
    return ledger.wantsMore && this.source.take(ledger, message)
  }

  fallBehind(sequence: number): void {
    this.source.fallBehind(this.#ledger, sequence)
  }

  wake(): void {
    this.#loop.call()
  }

  /** Accepted messages were lost. */
  messagesLost(): void {
    inBackground(this.#countPending(), this.#site)
  }

  messageRemoved(sequence: number, topic: string): void {
    // What lies before its start was never counted.
    if (sequence <= this.#ledger.deliveredSequence || this.#ledger.isSettled(sequence)) return
    if (!this.wants(topic)) return
    if (this.isByContent) this.pending.isStale = true
    else this.pending.count -= 1
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
    await this.#notes.keep()
    this.#loop.call()
    return count
  }

  /** Keys whose followers are parked go on once nothing of theirs is left among the dead letters. */
  unparkInUnit(keys: readonly string[]): void {
    for (const key of keys) this.#ledger.unpark(key)
    this.#notes.write('fsync')
    this.#loop.call()
  }

  /** Gives up the redrive of a letter that is to be discarded; false when it is in flight. */
  abandonRedrive(sequence: number): boolean {
    if (this.#inFlight.hasId(-sequence)) return false
    this.#ledger.forget(-sequence)
    this.#notes.writeSoon()
    return true
  }

  get isPaused(): boolean {
    const { pausedUntilMs } = this.#terms
    if (pausedUntilMs === undefined) return false
    return pausedUntilMs === 0 || pausedUntilMs > this.#site.clock.nowMs()
  }

  async #findPlace(): Promise<void> {
    const { start, topics } = this.settings
    const { position, targets } = await resolveStart(this.#home.log, start, topics)
    this.source.targets = targets
    this.#ledger = new ConsumerLedger(ledgerOptionsOf(this.settings), position)
  }

  /** Reads on from the ledger's position. */
  async #resume(): Promise<void> {
    this.#isStarted = false
    this.source.begin(this.#ledger.position)
    await this.#countPending()
    for (const id of this.#ledger.redrivenIds) await this.#offerRedriven(-id)
    this.#isStarted = true
    this.#watchInactivity()
    this.#loop.call()
  }

  #countPending(): Promise<void> {
    const begin = (): PendingRange => ({
      position: this.#ledger.lookedThrough + 1,
      untouched: this.#ledger.countUntouched(),
      selection: this.source.selection,
    })
    return this.pending.recount(begin, () => this.#site.store.flush())
  }

  // ---- handing out -------------------------------------------------------------------------------------------------

  writeAttempts(done: (error?: FanfareError) => void): void {
    this.#notes.write('written', done)
  }

  flies(item: BatchItem): void {
    this.#inFlight.add(item)
  }

  isFlying(item: BatchItem): boolean {
    return this.#inFlight.find(item.token) === item
  }

  takeBack({ token }: BatchItem): void {
    this.#ledger.giveBack(token)
    this.#inFlight.drop(token)
  }

  deliver(item: BatchItem, message: StoredMessage): void {
    if (this.#isTooOld(message)) {
      this.#expireAge(item)
      return
    }
    try {
      item.member.receiver.deliver(toHandOut(item, message, this.settings), this)
    } catch (error) {
      this.#site.report({ type: 'receiver-failed', pattern: this.name, error })
      this.retry(item.token, undefined, String(error))
    }
  }

  /** A message that the stream's limits removed before it could be handed out. */
  vanished({ token, id, member }: BatchItem): void {
    this.#inFlight.drop(token)
    member.credit += 1
    this.#ledger.forget(id)
  }

  workAtDesk(): void {
    this.#desk.work()
  }

  rested(): void {
    this.#arm()
    this.#tellStall()
  }

  #isTooOld(message: StoredMessage): boolean {
    const { maxMessageAgeMs } = this.settings
    return (
      maxMessageAgeMs !== undefined && this.#site.clock.nowMs() - message.timeMs > maxMessageAgeMs
    )
  }

  /** Given up before it reached a member, whose credit it does not use. */
  #expireAge({ token, id, member }: BatchItem): void {
    this.#inFlight.drop(token)
    member.credit += 1
    this.#ledger.giveUp(id, 'expired', `older than ${this.settings.maxMessageAgeMs} ms`)
  }

  async #offerRedriven(sequence: number): Promise<boolean> {
    const message = await this.source.read(-sequence)
    if (message === undefined) this.#ledger.forget(-sequence)
    else this.#ledger.offerRedriven(sequence, this.source.keyOf(message))
    return message !== undefined
  }

  // ---- verdicts and ends of waits ----------------------------------------------------------------------------------

  /** Settles in the ledger; answers the ids of what is done with. */
  #settle(token: number): number[] {
    if (this.settings.acknowledge === 'all') {
      this.#ledger.settleThrough(token)
      return this.#inFlight.dropThrough(token)
    }
    const item = this.#ledger.settle(token) ? this.#inFlight.drop(token) : undefined
    return item === undefined ? [] : [item.id]
  }

  /** A message's letter is committed. One that was parked or had grown too old may never have been handed out. */
  #givenUp({ id, deliveryCount }: LedgerFailure): void {
    this.#settling.delete(id)
    if (id > 0 && deliveryCount === 0) this.pending.count -= 1
    this.settled(id)
  }

  /** The message is done with: the stream may let it go, and a letter leaves its box. */
  settled(id: number): void {
    if (id > 0) this.#home.retention.settled(id, this)
    else this.source.box?.settle(-id)
  }

  #giveBack(token: number, give: () => boolean): boolean {
    if (!this.isInFlight(token) || !give()) return false
    this.#inFlight.drop(token)
    this.#notes.writeSoon()
    this.#loop.call()
    return true
  }

  #leave(member: Member): void {
    this.members.remove(member)
    for (const token of this.#inFlight.tokensOf(member)) {
      this.#ledger.giveBack(token)
      this.#inFlight.drop(token)
    }
    this.#notes.writeSoon()
    this.#watchInactivity()
    this.#loop.call()
  }

  #expireWaits(): void {
    this.#ledger.expire(this.#site.clock.nowMs(), (token) => {
      this.#inFlight.drop(token)?.member.receiver.expired?.(token)
    })
    this.#notes.writeSoon()
  }

  /** Rings when the next wait is over, a retry is due, or a pause ends. */
  #arm(): void {
    if (this.isDeleted) return
    const { pausedUntilMs } = this.#terms
    const resumesMs = pausedUntilMs === undefined || pausedUntilMs === 0 ? Infinity : pausedUntilMs
    const deadlineMs = this.#ledger.nextDeadlineMs ?? Infinity
    this.#alarms.arm(Math.min(deadlineMs, this.source.dueMs, this.#loop.tryAgainMs, resumesMs))
  }

  #ring(): void {
    this.source.dueMs = this.#loop.tryAgainMs = Infinity
    if (this.#terms.pausedUntilMs !== undefined && !this.isPaused) {
      this.#terms = { ...this.#terms, pausedUntilMs: undefined }
    }
    this.#expireWaits()
    // It arms again when the loop rests: what is being handed out now has not reached anybody.
    this.#loop.call()
  }

  #watchInactivity(): void {
    const { isDurable, inactiveMs, name } = this.settings
    const isWatched = !isDurable && this.members.count === 0 && !this.isDeleted
    this.#alarms.watchInactivity(isWatched ? inactiveMs : 0, () => {
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
    const stream = this.#home.name
    this.#site.report({ type: 'consumer-stalled', stream, consumer: this.name, key })
  }

  async #changeTerms(terms: ConsumerTerms): Promise<void> {
    this.#terms = terms
    await this.#notes.keepTerms(terms)
  }

  #assertThere(): void {
    if (this.#ended !== undefined) throw this.#ended
  }

  #end(reason: FanfareError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#desk.close()
    this.source.close()
    this.#alarms.close()
    for (const { receiver } of this.members.removeAll()) receiver.ended(reason)
    this.#inFlight.dropAll()
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
