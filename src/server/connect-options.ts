// What a client says of itself in CONNECT, with nats-server's defaults for what it leaves out.

export interface ConnectOptions {
  readonly verbose: boolean
  readonly pedantic: boolean
  readonly echo: boolean
  readonly headers: boolean
  readonly no_responders: boolean
  readonly protocol: number
  readonly name: string
  /** An account of the client's choosing, which only ancient servers gave. */
  readonly account: string
  readonly lang: string
  readonly version: string
  readonly user?: string | undefined
  readonly pass?: string | undefined
  readonly auth_token?: string | undefined
}

/** Reads the JSON of CONNECT; throws for what is no object or has a field of the wrong type. */
export function parseConnectOptions(json: string): ConnectOptions {
  const fields: unknown = JSON.parse(json)
  if (typeof fields !== 'object' || Array.isArray(fields)) {
    throw new TypeError('CONNECT takes a JSON object')
  }
  // Names in any case, and null for absent, as Go's decoder takes them.
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields ?? {})) given[name.toLowerCase()] = value
  return {
    verbose: read(given, 'verbose', 'boolean') ?? true,
    pedantic: read(given, 'pedantic', 'boolean') ?? true,
    echo: read(given, 'echo', 'boolean') ?? true,
    headers: read(given, 'headers', 'boolean') ?? false,
    no_responders: read(given, 'no_responders', 'boolean') ?? false,
    protocol: read(given, 'protocol', 'number') ?? 0,
    name: read(given, 'name', 'string') ?? '',
    lang: read(given, 'lang', 'string') ?? '',
    version: read(given, 'version', 'string') ?? '',
    user: read(given, 'user', 'string'),
    pass: read(given, 'pass', 'string'),
    auth_token: read(given, 'auth_token', 'string'),
    account: read(given, 'account', 'string') ?? '',
  }
}

interface TypeNames {
  boolean: boolean
  number: number
  string: string
}

function read<K extends keyof TypeNames>(
  fields: Record<string, unknown>,
  name: string,
  type: K,
): TypeNames[K] | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  const isFraction = type === 'number' && !Number.isInteger(value)
  if (typeof value !== type || isFraction)
    throw new TypeError(`CONNECT field ${name} must be a ${type}`)
  return value as TypeNames[K]
}
