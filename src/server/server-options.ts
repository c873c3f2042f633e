// What a server can be told: every option with its unit, its default and where the default comes from.
// The configuration file and the command line both end in this type; nothing else configures a server.

/** What one user may publish and subscribe to. An absent side means everything; `deny` wins over `allow`. */
export interface Permissions {
  readonly publish?: SubjectPermission
  readonly subscribe?: SubjectPermission
  /** Lets a user answer a request on its reply subject although `publish` would forbid it. */
  readonly allowResponses?: ResponsePermission
}

export interface SubjectPermission {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

export interface ResponsePermission {
  /** How many replies one request allows; default 1, as nats-server. */
  readonly max: number
  /** How long after the request a reply is allowed, in milliseconds; default 120,000, as nats-server. */
  readonly expiresMs: number
}

/** One named user. The password is plain text or a bcrypt hash (`$2a$…`, `$2b$…`, `$2y$…`). */
export interface User {
  readonly user: string
  readonly password: string
  readonly permissions?: Permissions
}

/** Who may connect. When none of `users`, `user` and `token` is set, everybody may. */
export interface Authorization {
  readonly users?: readonly User[]
  readonly user?: string
  readonly password?: string
  /** One shared secret, plain or a bcrypt hash. */
  readonly token?: string
  /** How long a client may take to send a valid CONNECT, in milliseconds; default 2,000. */
  readonly timeoutMs?: number
  /** For users that have no permissions of their own. */
  readonly defaultPermissions?: Permissions
}

export interface ServerOptions {
  /** Address to listen on; default `0.0.0.0`, as nats-server. */
  readonly host?: string
  /** Port to listen on; default 4222; 0 or -1 picks a free one. */
  readonly port?: number
  /** Port of the HTTP monitoring endpoints; absent: none; 0 or -1 picks a free one. */
  readonly httpPort?: number
  /** Address of the HTTP monitoring endpoints; default: `host`. */
  readonly httpHost?: string
  /** Name shown in INFO and /varz; default: the server's id. */
  readonly serverName?: string
  /** Host and port announced to clients instead of those listened on. */
  readonly clientAdvertise?: string
  readonly authorization?: Authorization
  /** The user that a connection without credentials acts as. */
  readonly noAuthUser?: string
  /** Most connections at once; default 65,536; 0 or less: no limit. */
  readonly maxConnections?: number
  /** Most subscriptions of one connection; default 0: no limit. */
  readonly maxSubscriptions?: number
  /** Most tokens in a subscription's subject; default 0: no limit. */
  readonly maxSubscriptionTokens?: number
  /** Longest protocol line in bytes; default 4,096. */
  readonly maxControlLineBytes?: number
  /** Largest payload, headers included, in bytes; default 1,048,576. */
  readonly maxPayloadBytes?: number
  /** Most bytes waiting for one connection before it is cut off as a slow consumer; default 67,108,864. */
  readonly maxPendingBytes?: number
  /** How long a write may make no progress before the connection is cut off, in milliseconds; default 10,000. */
  readonly writeDeadlineMs?: number
  /** Idle time before the server sends PING, in milliseconds; default 120,000. */
  readonly pingIntervalMs?: number
  /** Unanswered PINGs before a connection is stale; default 2. */
  readonly maxPingsOutstanding?: number
  /** Time over which lame duck mode closes connections, in milliseconds; default 120,000. */
  readonly lameDuckDurationMs?: number
  /** Time lame duck mode waits before it closes the first connection, in milliseconds; default 10,000. */
  readonly lameDuckGracePeriodMs?: number
  /** Whether clients may use headers; default true. */
  readonly headers?: boolean
}
