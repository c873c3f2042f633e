// The part of the official client (@nats-io/transport-node 3) that is used, as a structure, so that the package is needed
// only by those who connect, and another transport of the same family (WebSocket, Deno) can be put in its place.

export interface NatsHeaders extends Iterable<[string, string[]]> {
  readonly code: number
  readonly description: string
  append(name: string, value: string): void
}

export interface NatsMessage {
  readonly subject: string
  readonly data: Uint8Array
  readonly reply?: string
  readonly headers?: NatsHeaders
}

export interface NatsSubscription {
  readonly closed: Promise<void | Error>
  unsubscribe(max?: number): void
}

export interface NatsStatus {
  readonly type: string
  readonly server?: string
  readonly error?: Error
}

export interface NatsConnection {
  readonly info?: { readonly max_payload: number } | undefined
  publish(
    subject: string,
    payload?: Uint8Array,
    options?: { reply?: string; headers?: NatsHeaders },
  ): void
  subscribe(
    subject: string,
    options: {
      queue?: string
      max?: number
      callback: (error: Error | null, message: NatsMessage) => void
    },
  ): NatsSubscription
  status(): AsyncIterable<NatsStatus>
  getServer(): string
  flush(): Promise<void>
  drain(): Promise<void>
  close(): Promise<void>
  closed(): Promise<void | Error>
  isClosed(): boolean
}

export interface NatsTransport {
  connect(options: Record<string, unknown>): Promise<NatsConnection>
  headers(): NatsHeaders
}
