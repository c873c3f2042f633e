// Connects to a server and makes the engine: finds the client package, translates options and errors.
import { FanfareError } from '../base/index.js'
import { ClusterEngine } from './cluster-engine.js'
import type { NatsTransport } from './nats-transport.js'

export interface ClusterEngineOptions {
  /** 'nats://host:port', several for one cluster; default 'nats://127.0.0.1:4222'. */
  readonly servers?: readonly string[]
  readonly user?: string
  readonly password?: string
  readonly token?: string
  /** Shown in the server's connection list. */
  readonly name?: string
  /** How often a lost connection is tried again, 2 s apart; default -1: for ever. */
  readonly maxReconnectAttempts?: number
  /** The client package, when not `@nats-io/transport-node`. */
  readonly transport?: NatsTransport
}

const DEFAULT_SERVER = 'nats://127.0.0.1:4222'
const PACKAGE = '@nats-io/transport-node'

/** Rejects with PEER_MISSING, CONNECTION_FAILED or AUTHORIZATION_FAILED. */
export async function openClusterEngine(
  options: ClusterEngineOptions = {},
): Promise<ClusterEngine> {
  const transport = options.transport ?? (await loadTransport())
  const servers = [...(options.servers ?? [DEFAULT_SERVER])]
  try {
    const connection = await transport.connect({
      servers,
      maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
      ...(options.user === undefined ? {} : { user: options.user }),
      ...(options.password === undefined ? {} : { pass: options.password }),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.name === undefined ? {} : { name: options.name }),
    })
    return new ClusterEngine(connection, transport)
  } catch (error) {
    throw toOpenError(error, servers)
  }
}

async function loadTransport(): Promise<NatsTransport> {
  try {
    return (await import(PACKAGE)) as NatsTransport
  } catch (error) {
    throw new FanfareError('PEER_MISSING', `connecting needs a package: npm install ${PACKAGE}`, {
      cause: error,
      details: { package: PACKAGE },
    })
  }
}

function toOpenError(error: unknown, servers: readonly string[]): FanfareError {
  const reason = error instanceof Error ? error.message : String(error)
  const isRefused = error instanceof Error && /authoriz|authentic/i.test(`${error.name} ${reason}`)
  return new FanfareError(
    isRefused ? 'AUTHORIZATION_FAILED' : 'CONNECTION_FAILED',
    `cannot connect to ${servers.join(', ')}: ${reason}`,
    { cause: error, retryable: !isRefused, details: { servers } },
  )
}
