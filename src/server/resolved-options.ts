// Server options with every default filled in and every number checked. The defaults are nats-server's.
import { FanfareError } from '../base/index.js'
import type { ServerOptions } from './server-options.js'
import type { SessionLimits } from './session-host.js'

export interface ResolvedOptions {
  readonly host: string
  readonly port: number
  readonly httpHost: string
  /** Undefined: no HTTP. */
  readonly httpPort: number | undefined
  readonly serverName: string | undefined
  readonly clientAdvertise: string | undefined
  readonly maxConnections: number
  readonly authenticationTimeoutMs: number
  readonly lameDuckDurationMs: number
  readonly lameDuckGracePeriodMs: number
  readonly headers: boolean
  readonly limits: SessionLimits
}

/** Publishers pause for a client with more than this waiting, long before it would be cut off; see docs/architecture.md. */
const MARK_BYTES = 262_144
const MARK_SHARE = 0.75

/** Throws OPTION_INVALID naming the option and its value. */
export function resolveOptions(options: ServerOptions): ResolvedOptions {
  const maxPendingBytes = atLeast(options, 'maxPendingBytes', 1, 67_108_864)
  const maxPayloadBytes = atLeast(options, 'maxPayloadBytes', 1, 1_048_576)
  if (maxPayloadBytes > maxPendingBytes) {
    throw invalid(
      'maxPayloadBytes',
      maxPayloadBytes,
      `at most maxPendingBytes (${maxPendingBytes})`,
    )
  }
  return {
    host: options.host ?? '0.0.0.0',
    port: toPort(options.port ?? 4_222, 'port'),
    httpHost: options.httpHost ?? options.host ?? '0.0.0.0',
    httpPort: options.httpPort === undefined ? undefined : toPort(options.httpPort, 'httpPort'),
    serverName: options.serverName,
    clientAdvertise: options.clientAdvertise,
    maxConnections: whole(options, 'maxConnections', 65_536),
    authenticationTimeoutMs: options.authorization?.timeoutMs ?? 2_000,
    lameDuckDurationMs: atLeast(options, 'lameDuckDurationMs', 0, 120_000),
    lameDuckGracePeriodMs: atLeast(options, 'lameDuckGracePeriodMs', 0, 10_000),
    headers: options.headers ?? true,
    limits: {
      maxPendingBytes,
      maxPayloadBytes,
      markBytes: Math.min(MARK_BYTES, maxPendingBytes * MARK_SHARE),
      maxControlLineBytes: atLeast(options, 'maxControlLineBytes', 1, 4_096),
      maxSubscriptions: whole(options, 'maxSubscriptions', 0),
      maxSubscriptionTokens: whole(options, 'maxSubscriptionTokens', 0),
      writeDeadlineMs: atLeast(options, 'writeDeadlineMs', 1, 10_000),
      pingIntervalMs: atLeast(options, 'pingIntervalMs', 1, 120_000),
      maxPingsOutstanding: atLeast(options, 'maxPingsOutstanding', 0, 2),
    },
  }
}

/** A port to listen on, -1 being "any" as in nats-server. Throws OPTION_INVALID. */
export function toPort(port: number, option: string): number {
  if (!Number.isInteger(port) || port < -1 || port > 65_535) {
    throw invalid(option, port, 'a port from 1 to 65535, or -1 for a free one')
  }
  return Math.max(0, port)
}

type NumberOption = {
  [K in keyof ServerOptions]-?: NonNullable<ServerOptions[K]> extends number ? K : never
}[keyof ServerOptions]

function whole(options: ServerOptions, name: NumberOption, byDefault: number): number {
  const value = options[name] ?? byDefault
  if (!Number.isInteger(value)) throw invalid(name, value, 'a whole number')
  return value
}

function atLeast(
  options: ServerOptions,
  name: NumberOption,
  least: number,
  byDefault: number,
): number {
  const value = options[name] ?? byDefault
  if (!Number.isFinite(value) || value < least) throw invalid(name, value, `at least ${least}`)
  return value
}

function invalid(name: string, value: unknown, wanted: string): FanfareError {
  return new FanfareError('OPTION_INVALID', `${name} must be ${wanted}, not ${String(value)}`, {
    details: { option: name, value },
  })
}
