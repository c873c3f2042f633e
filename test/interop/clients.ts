// The two official client libraries behind one shape. They share nearly all of their API, so the tests use the newer
// one's types; only what differs, errors and status events, is brought to one form here.
import * as current from '@nats-io/transport-node'
import * as previous from 'nats'
import { describe } from 'vitest'
import { describeEachServer, type ServerKind } from './server-under-test.js'

export type { Msg as ClientMessage, MsgHdrs, Subscription } from '@nats-io/transport-node'

export interface ClientLibrary {
  readonly name: string
  connect(options: current.NodeConnectionOptions): Promise<ClientConnection>
  headers(): current.MsgHdrs
}

export type ClientConnection = current.NatsConnection

export const clientLibraries: readonly ClientLibrary[] = [
  {
    name: '@nats-io/transport-node',
    connect: (options) => current.connect(options),
    headers: () => current.headers(),
  },
  {
    name: 'nats',
    connect: async (options) =>
      (await previous.connect(
        options as previous.ConnectionOptions,
      )) as unknown as current.NatsConnection,
    headers: () => previous.headers() as unknown as current.MsgHdrs,
  },
]

/** Declares the same suite for each server and each client library. */
export function describeEachClient(
  title: string,
  suite: (kind: ServerKind, library: ClientLibrary) => void,
): void {
  describeEachServer(title, (kind) => {
    for (const library of clientLibraries) {
      describe(`client: ${library.name}`, () => suite(kind, library))
    }
  })
}

/** Everything that an error says, its code and its causes included, as one text. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, chainedError } = error as { code?: string; chainedError?: unknown }
  const causes = [error.cause, chainedError].filter((cause) => cause !== undefined).map(errorText)
  return [error.name, code, error.message, ...causes].filter(Boolean).join(' ')
}

/** The text of the error that a promise is expected to be rejected with. */
export async function rejectionText(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  if (outcome === undefined) throw new Error('expected a rejection')
  return errorText(outcome.error)
}

/** Whether an error says that nobody subscribes to the subject of a request. */
export function isNoResponders(error: unknown): boolean {
  return /503|no responders/i.test(errorText(error))
}

export interface StatusEvent {
  readonly type: string
  /** The error's text; for a permission violation operation and subject are in it. */
  readonly text: string
}

/** Keeps a connection's status events, which are otherwise lost while nobody iterates. */
export class StatusLog {
  readonly events: StatusEvent[] = []
  readonly #watchers = new Set<() => void>()

  constructor(connection: ClientConnection) {
    void this.#follow(connection)
  }

  /** Resolves with the first event, past or future, that has the type and whose text matches. */
  async find(type: string, text: RegExp = /(?:)/, boundMs = 8_000): Promise<StatusEvent> {
    const look = () => this.events.find((event) => event.type === type && text.test(event.text))
    return new Promise((resolve, reject) => {
      const watcher = () => {
        const event = look()
        if (event === undefined) return
        clearTimeout(timer)
        this.#watchers.delete(watcher)
        resolve(event)
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher)
        reject(new Error(`no '${type}' like ${text} among ${JSON.stringify(this.events)}`))
      }, boundMs)
      this.#watchers.add(watcher)
      watcher()
    })
  }

  async #follow(connection: ClientConnection): Promise<void> {
    for await (const status of connection.status()) {
      this.events.push({ type: status.type, text: statusText(status) })
      for (const watcher of [...this.#watchers]) watcher()
    }
  }
}

function statusText(status: object): string {
  const { error, data, permissionContext } = status as {
    error?: unknown
    data?: unknown
    permissionContext?: unknown
  }
  return [
    error === undefined ? '' : `${errorText(error)} ${JSON.stringify(error)}`,
    data === undefined ? '' : JSON.stringify(data),
    permissionContext === undefined ? '' : JSON.stringify(permissionContext),
  ].join(' ')
}

/** The first messages of a subscription; rejects when they do not arrive within the bound. */
export async function take(
  subscription: current.Subscription,
  count: number,
  boundMs = 8_000,
): Promise<current.Msg[]> {
  const taken: current.Msg[] = []
  const arrive = (async () => {
    for await (const message of subscription) {
      taken.push(message)
      if (taken.length === count) return
    }
  })()
  await withinBound(arrive, boundMs, () => `${taken.length} of ${count} messages arrived`)
  if (taken.length < count) throw new Error(`ended after ${taken.length} of ${count} messages`)
  return taken
}

export async function withinBound<Result>(
  promise: Promise<Result>,
  boundMs: number,
  describeState: () => string,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${describeState()} in ${boundMs} ms`)), boundMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
