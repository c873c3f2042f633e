// What each key does to the options, and what is refused with which line.
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../../src/base/index.js'
import { readConfiguration, type Configuration } from '../../../src/cli/configuration/index.js'

interface World {
  readonly files?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
}

function read(text: string, { files = {}, environment = {} }: World = {}): Configuration {
  const all: Readonly<Record<string, string>> = { 'etc/fanfare.conf': text, ...files }
  return readConfiguration({
    path: 'etc/fanfare.conf',
    environment,
    readFile: (path) => {
      const found = all[path]
      if (found === undefined) throw new Error(`no such file: ${path}`)
      return found
    },
  })
}

function refusal(text: string, world?: World): FanfareError {
  try {
    read(text, world)
  } catch (error) {
    if (error instanceof FanfareError) return error
    throw error
  }
  throw new Error(`was accepted: ${text}`)
}

describe('options', () => {
  it.each<[string, object]>([
    ['listen: 127.0.0.1:4333', { host: '127.0.0.1', port: 4333 }],
    ['listen: "[::1]:4333"', { host: '::1', port: 4333 }],
    ['listen: ":4333"', { port: 4333 }],
    ['listen: 4333', { port: 4333 }],
    ['host: localhost', { host: 'localhost' }],
    ['net = "0.0.0.0"', { host: '0.0.0.0' }],
    ['PORT 4333', { port: 4333 }],
    ['port: -1', { port: -1 }],
    ['port: 0', {}],
    ['http: "localhost:8222"', { httpHost: 'localhost', httpPort: 8222 }],
    ['http: 8222', { httpPort: 8222 }],
    ['http_port: 8222\nmonitor_port: 8222', { httpPort: 8222 }],
    ['server_name: one', { serverName: 'one' }],
    ['client_advertise: "example.org:4222"', { clientAdvertise: 'example.org:4222' }],
    ['max_connections: 10', { maxConnections: 10 }],
    ['max_conn: 1', { maxConnections: 1 }],
    ['max_subs: 0', { maxSubscriptions: 0 }],
    ['max_subscriptions: 5', { maxSubscriptions: 5 }],
    ['max_sub_tokens: 16', { maxSubscriptionTokens: 16 }],
    ['max_control_line: 2KB', { maxControlLineBytes: 2048 }],
    ['max_payload: 8M', { maxPayloadBytes: 8_000_000 }],
    ['max_payload: 0', {}],
    ['max_pending: 1Gi', { maxPendingBytes: 1_073_741_824 }],
    ['write_deadline: "1.5s"', { writeDeadlineMs: 1500 }],
    ['write_deadline: 3', { writeDeadlineMs: 3000 }],
    ['ping_interval: "1h30m"', { pingIntervalMs: 5_400_000 }],
    ['ping_max: 3', { maxPingsOutstanding: 3 }],
    ['lame_duck_duration: "1m"', { lameDuckDurationMs: 60_000 }],
    ['lame_duck_grace_period: "2s"', { lameDuckGracePeriodMs: 2000 }],
    ['no_header_support: yes', { headers: false }],
  ])('reads %s', (text, expected) => {
    expect(read(text).server).toEqual(expected)
  })

  it('reads what concerns the process', () => {
    const text = `
      debug: on, trace: true, logtime: no
      logfile: /var/log/fanfare.log
      pid_file: "/run/fanfare.pid"
      ports_file_dir: '/run'
    `
    expect(read(text).process).toEqual({
      debug: true,
      trace: true,
      logTime: false,
      logFile: '/var/log/fanfare.log',
      pidFile: '/run/fanfare.pid',
      portsFileDirectory: '/run',
    })
  })

  it('reads users with every form of permission', () => {
    const text = `
      authorization {
        timeout: 1.5
        default_permissions { publish: "open.>" }
        users = [
          { user: ada, password: $2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG
            permissions: { publish: [a, b.*], subscribe: { allow: "c.> workers", deny: [d] } } }
          { username: "bob", pass: "s3cret", permissions: {
              allow_responses: { max: 5, expires: "1m" }, publish: { deny: x } } }
          { user: eve }
        ]
      }
      no_auth_user: eve
    `
    expect(read(text)).toEqual({
      warnings: [],
      process: {},
      storage: {},
      server: {
        noAuthUser: 'eve',
        authorization: {
          timeoutMs: 1500,
          defaultPermissions: { publish: { allow: ['open.>'] } },
          users: [
            {
              user: 'ada',
              password: '$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG',
              permissions: {
                publish: { allow: ['a', 'b.*'] },
                subscribe: { allow: ['c.> workers'], deny: ['d'] },
              },
            },
            {
              user: 'bob',
              password: 's3cret',
              permissions: {
                allowResponses: { max: 5, expiresMs: 60_000 },
                publish: { allow: [], deny: ['x'] },
              },
            },
            { user: 'eve', password: '' },
          ],
        },
      },
    })
  })

  it('gives allow_responses the defaults of nats-server', () => {
    const user = (value: string): string =>
      `authorization { users: [ { user: a, permissions: { allow_responses: ${value} } } ] }`
    const permissions = (value: string): unknown =>
      read(user(value)).server.authorization?.users?.[0]?.permissions
    expect(permissions('true')).toEqual({ allowResponses: { max: 1, expiresMs: 120_000 } })
    expect(permissions('{ max: 0 }')).toEqual({ allowResponses: { max: 1, expiresMs: 120_000 } })
    expect(permissions('{ max: -1, ttl: "-1s" }')).toEqual({
      allowResponses: { max: -1, expiresMs: -1000 },
    })
    expect(permissions('false')).toEqual({})
  })

  it('lets the last of two settings count, and warns', () => {
    const { server, warnings } = read('port: 1\nport: 2')
    expect(server.port).toBe(2)
    expect(warnings).toEqual([
      { file: 'etc/fanfare.conf', line: 2, message: 'port replaces the one at etc/fanfare.conf:1' },
    ])
  })
})

describe('jetstream', () => {
  it.each([
    ['', {}],
    ['jetstream: enabled', { isEnabled: true }],
    ['jetstream: true\nstore_dir: "/data"', { isEnabled: true, directory: '/data' }],
    ['jetstream {}', { isEnabled: true }],
    ['jetstream { store_dir: "/data" }', { isEnabled: true, directory: '/data' }],
    ['jetstream { enabled: false, store: "/data" }', { isEnabled: false, directory: '/data' }],
    ['jetstream: disabled', { isEnabled: false }],
    ['jetstream: off', { isEnabled: false }],
  ])('says with %j where streams are kept', (text, storage) => {
    expect(read(text).storage).toEqual(storage)
  })
})

describe('warnings', () => {
  it.each([
    [
      '\njetstream: { store_dir: "/data", domain: hub }',
      2,
      'domain of jetstream is not supported yet',
    ],
    ['jetstream { max_file: 10GB }', 1, 'max_file of jetstream is not supported yet'],
    ['cluster { name: c }', 1, 'cluster is not supported yet'],
    ['system_account: SYS', 1, 'system_account is not supported yet'],
    ['write_deadline: 5', 1, 'taken as 5 seconds'],
    ['authorization { token: t, timeout: 1m }', 1, '1000000 seconds'],
    ['authorization { users: [] }', 1, 'everybody may connect'],
    ['authorization { users: [{user: a, permissions: {publish: []}}] }', 1, 'allows every subject'],
    ['# nothing', 1, 'empty'],
  ])('warns of %j', (text, line, message) => {
    const { warnings } = read(text)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({ line, message: expect.stringContaining(message) })
  })

  it('says nothing of a feature that is switched off', () => {
    expect(read('jetstream: false\nocsp: off\ndebug: no').warnings).toEqual([])
  })
})

describe('refusals', () => {
  it.each([
    ['tls { cert_file: "c.pem" }', 1, 'refusing to start without it'],
    ['\n\noperator: "o.jwt"', 3, 'refusing to start without it'],
    ['accounts { A { users: [] } }', 1, 'refusing to start without it'],
    ['trusted_keys: "OABC"', 1, 'refusing to start without it'],
    ['resolver: MEMORY', 1, 'refusing to start without it'],
    ['authorization {\n auth_callout { issuer: A }\n}', 2, 'refusing to start without it'],
    ['authorization {\n proxy_required: true\n token: t }', 2, 'refusing to start without it'],
    ['authorization { users: [\n{ nkey: UABC }\n] }', 2, 'refusing to start without it'],
    ['authorization { users: [{user: a,\n allowed_connection_types: [STANDARD]}] }', 2, 'refusing'],
    ['jetstream: yesterday', 1, 'jetstream must be enabled, disabled or a block'],
    ['jetstream {\n key: secret }', 2, 'refusing to start without it'],
    ['jetstream { size: 1 }', 1, 'unknown key'],
    ['store_dir: "/a"\njetstream { store_dir: "/b" }', 2, 'contradicts store_dir on line 1'],
    ['port: abc', 1, 'port must be a whole number, not "abc"'],
    ['port: 70000', 1, 'port must be from -1 to 65535, not 70000'],
    ['port: 1.5', 1, 'not 1.5'],
    ['listen: "localhost"', 1, 'a port or "host:port", not "localhost"'],
    ['listen: "h:99999"', 1, 'a port or "host:port"'],
    ['host: 12', 1, 'host must be a string'],
    ['server_name: "a b"', 1, 'without spaces'],
    ['max_payload: -1', 1, 'max_payload must be from 0 to 2147483647, not -1'],
    ['max_payload: 4G', 1, 'not 4000000000'],
    ['max_pending: -5', 1, 'max_pending must be from 0'],
    [
      'max_payload: 100M',
      1,
      'maxPayloadBytes (100000000) must be at most maxPendingBytes (67108864)',
    ],
    ['max_sub_tokens: 256', 1, 'from 1 to 255'],
    ['max_conn: many', 1, 'a whole number'],
    ['max_connections: 0', 1, 'max_connections must be at least 1'],
    ['max_conn: -1', 1, 'turning every connection away is not supported yet, not -1'],
    ['debug: "true"', 1, 'debug must be true or false, not "true"'],
    ['ping_interval: "2 minutes"', 1, 'a duration such as'],
    ['ping_interval: "-2s"', 1, 'zero or more'],
    ['write_deadline: "1us"', 1, 'at least one millisecond'],
    ['lame_duck_duration: "10s"', 1, 'at least 30 seconds'],
    ['lame_duck_duration: 60', 1, 'a duration such as'],
    ['lame_duck_grace_period: "3m"', 1, 'less than lameDuckDurationMs (120000)'],
    ['a: 1\nunheard: 2\nport: $a', 2, 'unknown key "unheard"'],
    ['authorization {\n usr: a\n}', 2, 'unknown key "usr"'],
    ['listen: 4222\nport: 4333', 2, 'port contradicts listen on line 1'],
    ['authorization {\n user: a\n token: t }', 3, 'token cannot be used together with user'],
    ['authorization {\n token: t\n users: [{user: a}] }', 3, 'users cannot be used together'],
    ['authorization { user: a, users: [] }', 1, 'users cannot be used together'],
    ['authorization {\n password: p }', 2, 'password has no user'],
    ['authorization { token: "" }', 1, 'token is empty'],
    ['authorization { users: [{password: p}] }', 1, 'a user has no name'],
    ['authorization { users: [{user: a}\n{user: a}] }', 2, 'user "a" is given twice'],
    ['authorization { users: [a] }', 1, 'a user must be a block'],
    ['authorization { timeout: -1, token: t }', 1, 'timeout must be zero or more seconds'],
    ['authorization { user: a\npermissions { publish: "a..b" } }', 2, 'invalid subject "a..b"'],
    ['authorization { user: a\npermissions { publish: "a b" } }', 2, 'invalid subject "a b"'],
    ['authorization { user: a\npermissions { subscribe: "a b c" } }', 2, 'invalid subject "a b c"'],
    ['authorization { user: a\npermissions { subscribe: "a " } }', 2, 'invalid subject "a "'],
    ['authorization { user: a\npermissions { subscribe: [\n1.5] } }', 3, 'each a string'],
    ['no_auth_user: nobody', 1, 'no_auth_user "nobody" is not one of the users'],
  ])('refuses %j on line %i', (text, line, message) => {
    const error = refusal(text)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(message)
    expect(error.message.startsWith(`etc/fanfare.conf:${line}: `)).toBe(true)
    expect(error.details).toEqual({ file: 'etc/fanfare.conf', line })
  })

  it('never shows a secret', () => {
    expect(refusal('authorization { user: a, password: 90210 }').message).not.toContain('90210')
    expect(refusal('authorization { token: 90210 }').message).not.toContain('90210')
    expect(refusal('authorization { token: t90210, TOKEN: other }').message).not.toMatch(
      /90210|other/,
    )
  })
})

describe('variables and includes', () => {
  it('looks a variable up in the block, then outwards, then in the environment', () => {
    const text = `
      NAME: outer
      authorization {
        NAME: inner
        user: $NAME
        password: $SECRET
      }
      server_name: $NAME
      max_payload: $SIZE
    `
    const { server } = read(text, { environment: { NAME: 'never', SECRET: '"p w"', SIZE: '2K' } })
    expect(server).toEqual({
      serverName: 'outer',
      maxPayloadBytes: 2000,
      authorization: { user: 'inner', password: 'p w' },
    })
  })

  it('reads a variable of the environment as a value, variables in it included', () => {
    const environment = { USERS: '[{user: $WHO}, {user: b}]', WHO: 'a', NONE: '' }
    expect(read('authorization { users: $USERS }', { environment }).server.authorization).toEqual({
      users: [
        { user: 'a', password: '' },
        { user: 'b', password: '' },
      ],
    })
    expect(read('server_name: $NONE', { environment }).server).toEqual({})
  })

  it.each([
    ['\nport: $PORT', {}, 'variable $PORT is set neither'],
    ['\nport: $port', {}, 'variable $port is set neither'],
    ['\nport: $A', { A: '$B', B: '$A' }, 'variable $A refers to itself'],
    ['\nport: $A', { A: '[1' }, 'no closing'],
    ['\nport: $A', { A: '1\n2' }, 'something follows the value'],
    ['\nport: $toString', {}, 'is set neither'],
  ])('refuses %j', (text, environment, message) => {
    const error = refusal(text, { environment })
    expect(error.message).toContain(message)
    expect(error.details).toEqual({ file: 'etc/fanfare.conf', line: 2 })
  })

  it('includes files relative to the including one, in blocks too', () => {
    const files = {
      'etc/sub/limits.conf': 'max_payload: $size\nsize: 1\ninclude "more.conf"',
      'etc/sub/more.conf': 'MY_PORT: 4333',
      'etc/auth.conf': '# who\nuser: a\npassword: b',
    }
    const environment = { size: '3K' }
    const text = `include sub/limits.conf
      authorization { include './auth.conf' }
      port: $MY_PORT
      size: 2
      ping_max: $size`
    expect(read(text, { files, environment }).server).toEqual({
      port: 4333,
      maxPayloadBytes: 3000,
      maxPingsOutstanding: 2,
      authorization: { user: 'a', password: 'b' },
    })
  })

  it('names the included file and its line', () => {
    const files = { 'etc/auth.conf': '\nuser: 5' }
    expect(refusal('authorization { include auth.conf }', { files }).details).toEqual({
      file: 'etc/auth.conf',
      line: 2,
    })
  })

  it('refuses files that are missing or include themselves, at the line that asks for them', () => {
    const missing = refusal('port: 1\ninclude gone.conf')
    expect(missing.message).toBe('etc/fanfare.conf:2: no such file: etc/gone.conf')
    const circular = refusal('include a.conf', {
      files: { 'etc/a.conf': '\ninclude fanfare.conf' },
    })
    expect(circular.message).toContain('etc/a.conf:2: etc/fanfare.conf includes itself')
  })
})
