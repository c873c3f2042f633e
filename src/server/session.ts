// One client connection: takes the operations that the parser finds, checks what the user may do, and calls the engine.
//
// States:  CONNECTING -> (AUTHENTICATING ->) READY -> CLOSED; a client that sends operations before CONNECT is READY
//          at once where nobody needs to authenticate, as with nats-server.
import type { Alarm } from '../base/index.js'
import {
  isOverMark,
  receiverCount,
  type BytesMessage,
  type EngineMessage,
} from '../engine/index.js'
import { findPatternFault, findTopicFault, matchesPattern } from '../topic/index.js'
import {
  ClientOperationParser,
  encodeError,
  encodeInfo,
  encodeNoResponders,
  okLine,
  pongLine,
  protocolErrors,
  type ClientOperationSink,
  type ProtocolError,
} from '../wire/operations/index.js'
import type { AccessRules } from './access-rules.js'
import type { Identity } from './authenticator.js'
import { ClientSubscription } from './client-subscription.js'
import { parseConnectOptions, type ConnectOptions } from './connect-options.js'
import type { Connection, ConnectionHandler } from './connection.js'
import type { IncomingMessage } from './incoming-message.js'
import { Liveness } from './liveness.js'
import { Outbox, type OutboxOwner } from './outbox.js'
import { ReplyAllowance } from './reply-allowance.js'
import type { SessionHost } from './session-host.js'

/** How long a closing connection may take to take its last bytes, the error among them. */
const LINGER_MS = 1_000

/** A publisher never pauses longer than this at a time, whoever is behind. */
const LONGEST_PAUSE_MS = 1_000

export class Session implements ClientOperationSink, ConnectionHandler, OutboxOwner {
  readonly id: number
  readonly connection: Connection
  readonly subscriptions = new Map<string, ClientSubscription>()
  readonly startedAtMs: number
  /** Set when the session ends: what /connz and the log call the reason. */
  closeReason: string | undefined
  inMessages = 0
  inBytes = 0
  outMessages = 0
  outBytes = 0
  lastActivityAtMs: number
  wantsEcho = true
  options: ConnectOptions = parseConnectOptions('{}')
  readonly liveness: Liveness
  readonly #host: SessionHost
  readonly #parser: ClientOperationParser
  readonly #outbox: Outbox
  #identity: Identity | undefined
  #rules: AccessRules | undefined
  #replyAllowance: ReplyAllowance | undefined
  #authenticationAlarm: Alarm | undefined
  #pauseAlarm: Alarm | undefined
  #writeDeadlineAlarm: Alarm | undefined
  #wantsHeaders = false
  #hasConnected = false
  #hasGreeted = false
  /** Own subscriptions that the publish at hand has passed over. */
  #notEchoed = 0
  #shouldPause = false
  #pausedAtMs = 0
  #isClosing = false
  #isClosed = false
  /** What came behind a CONNECT that is still being checked. */
  #heldInput: Uint8Array | undefined

  constructor(id: number, connection: Connection, host: SessionHost) {
    this.id = id
    this.connection = connection
    this.#host = host
    this.startedAtMs = this.lastActivityAtMs = host.clock.nowMs()
    this.#parser = new ClientOperationParser(this, host.incoming, host.limits)
    this.#outbox = new Outbox(connection, host.arena, host.flushQueue, host.limits, this)
    this.liveness = new Liveness(host, {
      sendPing: (line) => this.#outbox.writeBytes(line),
      stale: () => this.#fail(protocolErrors.staleConnection, 'Stale Connection'),
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get user(): string {
    return this.#identity?.user ?? ''
  }

  get pendingBytes(): number {
    return this.#outbox.pendingBytes
  }

  /** Pending bytes as a share of the limit. */
  get fullness(): number {
    return this.#outbox.fullness
  }

  /** How many pieces of output the operating system has taken. */
  get takenCount(): number {
    return this.#outbox.takenCount
  }

  get isOverMark(): boolean {
    return this.#outbox.isOverMark
  }

  /** Greets the client; from here on it is read. */
  start(): void {
    this.#host.flushQueue.turn(() => {
      this.sendInfo()
      this.#setIdentity(this.#host.authenticator.identityOfStranger)
      if (this.#host.authenticator.isRequired) {
        this.#authenticationAlarm = this.#host.alarms.set(this.#host.authenticationTimeoutMs, () =>
          this.#fail(protocolErrors.authenticationTimeout, 'Authentication Timeout'),
        )
      }
    })
    this.liveness.start()
  }

  /** Whether the client wants INFO at other times than the start (protocol 1). */
  get takesAsyncInfo(): boolean {
    return this.#hasConnected && this.options.protocol >= 1
  }

  /** Tells the client about the server: at the start, and when something has changed. */
  sendInfo(): void {
    const connected = this.takesAsyncInfo ? { connect_info: true, remote_account: '$G' } : {}
    this.#outbox.writeBytes(encodeInfo({ ...this.#host.describe(this), ...connected }))
  }

  // ---- What the connection reports

  received(bytes: Uint8Array, from: number, to: number): void {
    this.lastActivityAtMs = this.#host.clock.nowMs()
    this.liveness.sawInput()
    this.#host.flushQueue.turn(() => {
      const taken = this.#parser.feed(bytes, from, to)
      if (taken < to) this.#heldInput = bytes.slice(taken, to)
    })
    if (this.#shouldPause) this.#pauseBriefly()
  }

  closed(reason: string): void {
    this.#end(this.closeReason ?? reason)
  }

  // ---- What the parser finds

  publish(message: IncomingMessage): void {
    if (this.#identity === undefined) return this.#failAuthorization()
    this.inMessages += 1
    this.inBytes += message.bodyEnd - message.headersStart
    const topic = this.#host.engine.topicAt(
      message.buffer,
      message.subjectStart,
      message.subjectEnd,
    )
    if (this.#needsCheck && !this.#checkPublish(topic.name, message)) return
    if (message.hasReply && hasReservedReply(message)) {
      return this.#fail(protocolErrors.replyDenied(message.replyTopic!))
    }
    if (this.options.verbose) this.#outbox.writeBytes(okLine)
    message.handle = topic
    message.origin = this
    this.#notEchoed = 0
    const outcome = this.#host.engine.publish(topic, message)
    if (isOverMark(outcome)) this.#shouldPause = true
    if (message.hasReply && this.options.no_responders) {
      if (receiverCount(outcome) === this.#notEchoed) this.#sendNoResponders(message)
    }
  }

  subscribe(subject: string, queue: string, sid: string): void {
    if (this.#identity === undefined) return this.#failAuthorization()
    const refusal = this.#refusalToSubscribe(subject, queue)
    if (refusal !== undefined) return this.#fail(refusal)
    if (!this.subscriptions.has(sid)) this.#addSubscription(subject, queue, sid)
    if (this.options.verbose) this.#outbox.writeBytes(okLine)
  }

  unsubscribe(sid: string, max: number | undefined): void {
    if (this.#identity === undefined) return this.#failAuthorization()
    const subscription = this.subscriptions.get(sid)
    if (subscription !== undefined) {
      subscription.maxMessages = max ?? 0
      if (subscription.delivered >= subscription.maxMessages) this.endSubscription(subscription)
    }
    if (this.options.verbose) this.#outbox.writeBytes(okLine)
  }

  connect(json: string): void {
    const options = this.#readConnect(json)
    if (options === undefined) return
    this.options = options
    this.wantsEcho = options.echo
    this.#wantsHeaders = options.headers && this.#host.headersSupported
    const identity = this.#host.authenticator.authenticate(options)
    if (!(identity instanceof Promise)) return this.#connected(identity)
    this.#parser.hold()
    this.connection.pause()
    identity.then(
      (proven) => this.#authenticated(proven),
      (error: unknown) => this.#fail(protocolErrors.authorization, String(error)),
    )
  }

  ping(): void {
    if (this.#identity === undefined) return this.#failAuthorization()
    this.#outbox.writeBytes(pongLine)
    if (this.#hasGreeted || !this.takesAsyncInfo) return
    this.#hasGreeted = true
    this.sendInfo()
  }

  pong(): void {
    if (this.#identity === undefined) return this.#failAuthorization()
    this.liveness.sawPong()
  }

  peerInfo(json: string): void {
    try {
      JSON.parse(json)
    } catch {
      this.#fail(protocolErrors.badArguments('INFO that is not JSON'), 'Protocol Violation')
    }
  }

  peerError(text: string): void {
    this.#host.log('error', `client ${this.id} reports ${text}`)
    this.close('Client Error')
  }

  protocolError(error: ProtocolError): void {
    if (this.#identity === undefined) return this.#failAuthorization()
    this.#fail(error, 'Protocol Violation')
  }

  // ---- What the engine delivers

  /** Writes `message` for one of this session's subscriptions. */
  send(subscription: ClientSubscription, engineMessage: EngineMessage): void {
    const message = engineMessage.toBytes()
    this.outMessages += 1
    this.outBytes += message.bodyEnd - message.bodyStart + message.headersEnd - message.headersStart
    if (this.#replyAllowance !== undefined && message.hasReply) this.#replyAllowance.grant(message)
    this.#outbox.writeMessage(subscription.memo, message, this.#wantsHeaders)
  }

  /** One of this session's own messages reached its own subscription, which does not want it. */
  passedOver(): void {
    this.#notEchoed += 1
  }

  endSubscription(subscription: ClientSubscription): void {
    subscription.engineSubscription?.unsubscribe()
    this.subscriptions.delete(subscription.sid)
  }

  // ---- What the outbox reports

  waiting(): void {
    if (this.#writeDeadlineAlarm !== undefined) return
    const takenBefore = this.takenCount
    this.#writeDeadlineAlarm = this.#host.alarms.set(this.#host.limits.writeDeadlineMs, () => {
      this.#writeDeadlineAlarm = undefined
      if (this.#isClosed || this.#outbox.pendingBytes === 0) return
      if (this.takenCount > takenBefore) this.waiting()
      else this.tooSlow('Write Deadline')
    })
  }

  fellBehind(): void {
    this.#host.crowd.join(this)
  }

  tooSlow(reason: string): void {
    if (this.#isClosing || this.#isClosed) return
    this.#host.slowConsumer(this, reason)
    this.#fail(protocolErrors.slowConsumer, `Slow Consumer (${reason})`)
  }

  caughtUp(): void {
    this.#host.crowd.leave(this)
    this.#host.resumePublishers()
  }

  /** Reads on after a pause, whether the slow client has caught up or the pause was long enough. */
  resumeReading(): void {
    this.#host.alarms.cancel(this.#pauseAlarm)
    this.#pauseAlarm = undefined
    this.#host.pausedSessions.delete(this)
    if (!this.#isClosed) this.connection.resume()
  }

  /** Sends what waits and closes. */
  close(reason: string): void {
    if (this.#isClosing || this.#isClosed) return
    this.#isClosing = true
    this.closeReason = reason
    this.#outbox.flush()
    this.connection.end()
    this.#host.alarms.set(LINGER_MS, () => this.connection.destroy())
    this.#end(reason)
  }

  /** Applies changed rules: ends subscriptions that the user may no longer have, or the session itself. */
  async reauthorize(): Promise<void> {
    // Who has not said who it is, and need not until now, is a stranger; who has been asked still has its time.
    if (this.#isClosed || this.#identity === undefined) return
    const { authenticator } = this.#host
    const identity = this.#hasConnected
      ? await authenticator.authenticate(this.options)
      : authenticator.identityOfStranger
    if (identity === undefined) return this.#failAuthorization()
    this.#setIdentity(identity)
    for (const subscription of [...this.subscriptions.values()]) {
      const { subject, queue, sid } = subscription
      subscription.isHidden = this.#rules?.hiddenFrom(subject)
      if (this.#rules?.maySubscribe(subject, queue === '' ? undefined : queue) ?? true) continue
      this.endSubscription(subscription)
      this.#fail(protocolErrors.subscriptionRevoked(subject, queue, sid))
    }
  }

  // ---- Steps

  #readConnect(json: string): ConnectOptions | undefined {
    try {
      return parseConnectOptions(json)
    } catch (error) {
      this.#fail(protocolErrors.badArguments(String(error)), 'Protocol Violation')
      return undefined
    }
  }

  /** What the server cannot give; asked after the credentials, so that strangers learn nothing. */
  #refusalToConnect(): ProtocolError | undefined {
    const { protocol, no_responders } = this.options
    if (protocol < 0 || protocol > 1) return protocolErrors.invalidClientProtocol
    if (no_responders && !this.#wantsHeaders) return protocolErrors.noRespondersRequiresHeaders
    return undefined
  }

  #connected(identity: Identity | undefined): void {
    if (identity === undefined || this.options.account !== '') return this.#failAuthorization()
    const refusal = this.#refusalToConnect()
    if (refusal !== undefined) return this.#fail(refusal)
    this.#hasConnected = true
    this.#host.alarms.cancel(this.#authenticationAlarm)
    this.#setIdentity(identity)
    if (this.options.verbose) this.#outbox.writeBytes(okLine)
  }

  #authenticated(identity: Identity | undefined): void {
    if (this.#isClosed) return
    this.#host.flushQueue.turn(() => {
      this.#parser.resume()
      this.#connected(identity)
      const held = this.#heldInput
      this.#heldInput = undefined
      if (!this.#isClosed) this.connection.resume()
      if (held !== undefined && !this.#isClosed) this.received(held, 0, held.length)
    })
  }

  #setIdentity(identity: Identity | undefined): void {
    this.#identity = identity
    this.#rules = identity?.rules
    const responses = identity?.rules?.allowResponses
    this.#replyAllowance =
      responses === undefined ? undefined : new ReplyAllowance(responses, this.#host.clock)
  }

  /** Whether a publish needs more than a look at the topic table. */
  get #needsCheck(): boolean {
    return this.#rules !== undefined || this.options.pedantic || !this.#wantsHeaders
  }

  #checkPublish(subject: string, message: IncomingMessage): boolean {
    if (message.headerBytes > 0 && !this.#wantsHeaders) {
      this.#fail(protocolErrors.badArguments('HPUB without headers'), 'Protocol Violation')
      return false
    }
    const isAllowed =
      (this.#rules?.mayPublish(subject) ?? true) || (this.#replyAllowance?.use(subject) ?? false)
    if (!isAllowed) {
      this.#fail(protocolErrors.publishDenied(subject))
      return false
    }
    if (this.options.pedantic && findTopicFault(subject) !== undefined) {
      this.#fail(protocolErrors.invalidPublishSubject)
    }
    return true
  }

  #refusalToSubscribe(subject: string, queue: string): ProtocolError | undefined {
    const isAllowed = this.#rules?.maySubscribe(subject, queue === '' ? undefined : queue) ?? true
    if (!isAllowed) return protocolErrors.subscribeDenied(subject, queue)
    const { maxSubscriptionTokens, maxSubscriptions } = this.#host.limits
    if (maxSubscriptionTokens > 0 && subject.split('.').length > maxSubscriptionTokens) {
      return protocolErrors.tooManyTokens(subject)
    }
    if (maxSubscriptions > 0 && this.subscriptions.size >= maxSubscriptions) {
      return protocolErrors.maxSubscriptions
    }
    return findPatternFault(subject) === undefined ? undefined : protocolErrors.invalidSubject
  }

  #addSubscription(subject: string, queue: string, sid: string): void {
    const subscription = new ClientSubscription(this, subject, queue, sid)
    subscription.isHidden = this.#rules?.hiddenFrom(subject)
    this.subscriptions.set(sid, subscription)
    this.#host.statistics.subscribed += 1
    subscription.engineSubscription = this.#host.engine.subscribe(
      subject,
      subscription,
      queue === '' ? {} : { group: queue },
    )
  }

  #sendNoResponders(message: IncomingMessage): void {
    const { engine } = this.#host
    const reply = engine.topicAt(message.buffer, message.replyStart, message.replyEnd)
    const subscription = this.#findSubscription(reply.name)
    if (subscription === undefined) return
    this.#outbox.writeBytes(encodeNoResponders(reply.name, subscription.sid, message.handle.name))
    subscription.delivered += 1
    if (subscription.delivered >= subscription.maxMessages) this.endSubscription(subscription)
  }

  #findSubscription(topic: string): ClientSubscription | undefined {
    for (const subscription of this.subscriptions.values()) {
      if (matchesPattern(subscription.subject, topic)) return subscription
    }
    return undefined
  }

  #pauseBriefly(): void {
    this.#shouldPause = false
    if (this.#isClosed || this.#pauseAlarm !== undefined) return
    this.connection.pause()
    this.#host.pausedSessions.add(this)
    this.#pausedAtMs = this.#host.clock.elapsedMs()
    this.#holdReading()
  }

  /** Waits a little; goes on waiting while the server holds all publishers, but not for ever. */
  #holdReading(): void {
    this.#pauseAlarm = this.#host.alarms.set(this.#host.pauseMs(), () => {
      const pausedMs = this.#host.clock.elapsedMs() - this.#pausedAtMs
      if (pausedMs < LONGEST_PAUSE_MS && this.#host.mustHoldPublishers()) this.#holdReading()
      else this.resumeReading()
    })
  }

  #failAuthorization(): void {
    this.#fail(protocolErrors.authorization, 'Authorization Violation')
  }

  /** Tells the client; closes the connection when the error is one that it does not survive. */
  #fail(error: ProtocolError, closeReason = error.reason): void {
    if (this.#isClosing || this.#isClosed) return
    this.#host.log(error.isFatal ? 'error' : 'warn', `client ${this.id}: ${error.reason}`)
    if (error.text !== '') this.#outbox.writeBytes(encodeError(error.text))
    if (error.isFatal) this.close(closeReason)
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.closeReason = reason
    this.#parser.stop()
    this.#outbox.close()
    this.liveness.stop()
    this.#host.alarms.cancel(this.#authenticationAlarm)
    this.#host.alarms.cancel(this.#pauseAlarm)
    this.#host.alarms.cancel(this.#writeDeadlineAlarm)
    this.#host.pausedSessions.delete(this)
    this.#host.crowd.leave(this)
    for (const subscription of this.subscriptions.values()) {
      subscription.engineSubscription?.unsubscribe()
    }
    this.subscriptions.clear()
    this.#host.ended(this, reason)
  }
}

/** Whether the reply lies where only servers may publish: `_R_.` and `$JS.ACK.` (nats-server: client.go). */
function hasReservedReply(message: BytesMessage): boolean {
  const first = message.buffer[message.replyStart]
  if (first !== 0x5f && first !== 0x24) return false
  const reply = message.replyTopic!
  return reply.startsWith('_R_.') || reply.startsWith('$JS.ACK.')
}
