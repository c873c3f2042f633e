// The server: listens, turns connections into sessions on one engine, and ends in order: at once, drained, or by lame duck.
import { availableParallelism } from 'node:os'
import {
  Alarms,
  ByteArena,
  FanfareError,
  systemClock,
  systemRandom,
  type Clock,
  type Random,
} from '../base/index.js'
import type { Engine } from '../engine/index.js'
import { encodeError, encodeInfo, protocolErrors } from '../wire/operations/index.js'
import { Authenticator } from './authenticator.js'
import type { Connection } from './connection.js'
import { Crowd } from './crowd.js'
import { FlushQueue } from './flush-queue.js'
import { IncomingMessage } from './incoming-message.js'
import { resolveOptions, type ResolvedOptions } from './resolved-options.js'
import { makeServerId, PROTOCOL_VERSION } from './server-identity.js'
import type { ServerOptions } from './server-options.js'
import { ServerStatistics } from './server-statistics.js'
import { Session } from './session.js'
import type { HostedSession, LogLevel, SessionHost, SessionLimits } from './session-host.js'
import { TcpListener } from './tcp-listener.js'

/** What a server is made of besides its options. */
export interface ServerParts {
  readonly engine: Engine
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: (level: LogLevel, text: string) => void
}

/** An HTTP listener that serves the monitoring endpoints, and stops with the server. */
export interface MonitoringEndpoint {
  readonly port: number
  close(): Promise<void>
}

/** A publisher pauses this long at most for a client that is behind, and for one that is close to being cut off. */
const PAUSE_MS = 2
const LONG_PAUSE_MS = 10
const NEARLY_FULL = 0.75

export class Server implements SessionHost {
  readonly id: string
  readonly engine: Engine
  readonly clock: Clock
  readonly alarms: Alarms
  readonly arena = new ByteArena()
  readonly flushQueue: FlushQueue
  readonly crowd: Crowd
  readonly incoming = new IncomingMessage()
  readonly pausedSessions = new Set<HostedSession>()
  readonly sessions = new Map<number, Session>()
  readonly statistics: ServerStatistics
  readonly #log: (level: LogLevel, text: string) => void
  readonly #listener: TcpListener
  #options: ResolvedOptions
  #authenticator: Authenticator
  #port: number | undefined
  #monitoring: MonitoringEndpoint | undefined
  #nextSessionId = 1
  #isLameDuck = false
  #lastCpu = { usedMs: 0, atMs: 0 }
  #stopping: Promise<void> | undefined

  constructor(options: ServerOptions, parts: ServerParts) {
    this.#options = resolveOptions(options)
    this.#authenticator = new Authenticator(options.authorization, options.noAuthUser)
    this.engine = parts.engine
    this.clock = parts.clock ?? systemClock
    this.#log = parts.log ?? (() => {})
    this.id = makeServerId(parts.random ?? systemRandom)
    this.alarms = new Alarms(this.clock)
    this.crowd = new Crowd(this.clock)
    this.flushQueue = new FlushQueue(this.clock)
    this.statistics = new ServerStatistics(this.clock.nowMs())
    this.#listener = new TcpListener(this.arena, (connection) => this.#accept(connection))
  }

  get options(): ResolvedOptions {
    return this.#options
  }

  get limits(): SessionLimits {
    return this.#options.limits
  }

  get authenticator(): Authenticator {
    return this.#authenticator
  }

  get authenticationTimeoutMs(): number {
    return this.#options.authenticationTimeoutMs
  }

  get headersSupported(): boolean {
    return this.#options.headers
  }

  get name(): string {
    return this.#options.serverName ?? this.id
  }

  /** The port listened on; undefined before `start`. */
  get port(): number | undefined {
    return this.#port
  }

  /** The port of the monitoring endpoints; undefined when there are none. */
  get httpPort(): number | undefined {
    return this.#monitoring?.port
  }

  get isHealthy(): boolean {
    return this.#stopping === undefined && !this.#isLameDuck
  }

  get url(): string {
    return `nats://${this.#options.host === '0.0.0.0' ? '127.0.0.1' : this.#options.host}:${this.#port}`
  }

  get processors(): number {
    return availableParallelism()
  }

  /** Processor time since the last call, as a percentage of one processor. */
  processorPercent(): number {
    const { user, system } = process.cpuUsage()
    const nowMs = this.clock.elapsedMs()
    const usedMs = (user + system) / 1_000
    const percent =
      (100 * (usedMs - this.#lastCpu.usedMs)) / Math.max(1, nowMs - this.#lastCpu.atMs)
    this.#lastCpu = { usedMs, atMs: nowMs }
    return Math.round(percent)
  }

  /** Listens. Rejects with ADDRESS_IN_USE when the port is taken. */
  async start(): Promise<void> {
    if (this.#port !== undefined) {
      throw new FanfareError('ALREADY_STARTED', 'the server has been started before')
    }
    const { host, port } = this.#options
    const address = await this.#listener.listen({ host, port })
    this.#port = address.port
    this.log('info', `Listening for client connections on ${host}:${address.port}`)
  }

  /** Takes charge of the listener that serves this server's monitoring. */
  attachMonitoring(endpoint: MonitoringEndpoint): void {
    this.#monitoring = endpoint
    this.log('info', `Starting http monitor on ${this.#options.httpHost}:${endpoint.port}`)
  }

  /** Takes changed options: users, permissions and limits; not the address. Limits hold for new connections. */
  async reload(options: ServerOptions): Promise<void> {
    const authenticator = new Authenticator(options.authorization, options.noAuthUser)
    this.#options = {
      ...resolveOptions(options),
      host: this.#options.host,
      port: this.#options.port,
    }
    this.#authenticator = authenticator
    await Promise.all([...this.sessions.values()].map((session) => session.reauthorize()))
    this.#announce()
    this.log('info', 'Reloaded server configuration')
  }

  /** Stops: accepts nobody, sends what waits, closes every connection. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /**
   * Lame duck mode: accepts nobody, tells clients to go elsewhere, waits for the grace period, then closes
   * connections evenly over the duration, then stops.
   */
  async enterLameDuck(): Promise<void> {
    if (this.#isLameDuck || this.#stopping !== undefined) return
    this.#isLameDuck = true
    this.log('info', 'Entering lame duck mode, stop accepting new clients')
    void this.#listener.close()
    this.#announce()
    const { lameDuckGracePeriodMs, lameDuckDurationMs } = this.#options
    await this.#sleep(Math.min(lameDuckGracePeriodMs, lameDuckDurationMs))
    const closeOverMs = Math.max(0, lameDuckDurationMs - lameDuckGracePeriodMs)
    const sessions = [...this.sessions.values()]
    for (const session of sessions) {
      session.close('Server Shutdown')
      if (this.sessions.size > 0) await this.#sleep(closeOverMs / sessions.length)
      if (this.#stopping !== undefined) break
    }
    await this.stop()
  }

  // ---- What sessions ask for

  describe({ id, connection }: Pick<Session, 'id' | 'connection'>): object {
    const { host, clientAdvertise, limits, headers } = this.#options
    return {
      server_id: this.id,
      server_name: this.name,
      version: PROTOCOL_VERSION,
      proto: 1,
      go: `node${process.versions.node}`,
      host,
      port: this.#port,
      headers,
      max_payload: limits.maxPayloadBytes,
      client_id: id,
      client_ip: connection.remoteAddress,
      ...(this.#authenticator.isRequired ? { auth_required: true } : {}),
      ...(clientAdvertise === undefined ? {} : { connect_urls: [clientAdvertise] }),
      ...(this.#isLameDuck ? { ldm: true } : {}),
    }
  }

  pauseMs(): number {
    return this.crowd.hasFullerThan(NEARLY_FULL) ? LONG_PAUSE_MS : PAUSE_MS
  }

  mustHoldPublishers(): boolean {
    return this.crowd.pendingBytes > this.limits.maxPendingBytes
  }

  resumePublishers(): void {
    if (this.pausedSessions.size === 0 || this.mustHoldPublishers()) return
    for (const session of this.pausedSessions) session.resumeReading()
  }

  slowConsumer(session: Session, reason: string): void {
    this.statistics.slowConsumers += 1
    this.log('warn', `client ${session.id}: Slow Consumer Detected: ${reason}`)
  }

  ended(session: Session, reason: string): void {
    this.sessions.delete(session.id)
    this.statistics.sessionEnded(session, reason, this.clock.nowMs())
    this.log('debug', `client ${session.id}: connection closed: ${reason}`)
  }

  log(level: LogLevel, text: string): void {
    this.#log(level, text)
  }

  // ---- Steps

  #accept(connection: Connection): Session | undefined {
    const { maxConnections } = this.#options
    const id = this.#nextSessionId++
    this.statistics.totalConnections += 1
    if (maxConnections > 0 && this.sessions.size >= maxConnections) {
      this.#refuse(id, connection)
      return undefined
    }
    const session = new Session(id, connection, this)
    this.sessions.set(id, session)
    session.start()
    return session
  }

  #refuse(id: number, connection: Connection): void {
    const lines = [
      encodeInfo(this.describe({ id, connection })),
      encodeError(protocolErrors.maxConnections.text),
    ]
    for (const line of lines) connection.write(line, 0, line.length, () => {})
    connection.end()
    this.log('error', protocolErrors.maxConnections.text)
  }

  /** Tells the clients that want to know what has changed about the server. */
  #announce(): void {
    for (const session of this.sessions.values()) if (session.takesAsyncInfo) session.sendInfo()
  }

  async #stop(): Promise<void> {
    const closed = this.#port === undefined ? Promise.resolve() : this.#listener.close()
    for (const session of [...this.sessions.values()]) session.close('Server Shutdown')
    await closed
    await this.#monitoring?.close()
    this.alarms.close()
    this.#listener.release()
    this.log('info', 'Server Exiting..')
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.alarms.set(durationMs, resolve))
  }
}
