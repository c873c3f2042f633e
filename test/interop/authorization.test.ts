// Who may connect, and what they may then do: the words of the errors are what clients recognise them by.
import { hashSync } from 'bcryptjs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  describeEachClient,
  rejectionText,
  StatusLog,
  take,
  type ClientConnection,
} from './clients.js'
import { RawConnection } from './raw-connection.js'
import { describeEachServer, launch, type RunningServer } from './server-under-test.js'

const authorizationViolation = /authorization violation|AUTHORIZATION_VIOLATION/i

const configurations = {
  users: `authorization {
    timeout: 0.3
    users: [
      { user: alice, password: secret }
      { user: hashed, password: "${hashSync('correct horse', 4)}" }
    ]
  }`,
  token: `authorization { token: "s3cr3t-token" }`,
  hashedToken: `authorization { token: "${hashSync('s3cr3t-token', 4)}" }`,
  noAuthUser: `
    no_auth_user: guest
    authorization { users: [
      { user: guest, password: guest, permissions: { publish: "open.>", subscribe: ["open.>", "_INBOX.>"] } }
      { user: alice, password: secret }
    ] }`,
  permissions: `authorization {
    default_permissions: { publish: "default.>", subscribe: "default.>" }
    users: [
      {
        user: writer, password: w
        permissions: {
          publish: { allow: ["orders.*", "logs.>"], deny: "logs.secret.>" }
          subscribe: { allow: ["events.>", "_INBOX.>"], deny: ["events.private"] }
        }
      }
      { user: grouped, password: g, permissions: { subscribe: ["jobs workers", "open"] } }
      { user: service, password: s, permissions: { subscribe: "questions", allow_responses: true } }
      { user: asker, password: a, permissions: { publish: "questions", subscribe: "_INBOX.>" } }
      { user: plain, password: p }
      { user: anybody, password: x, permissions: { publish: ">", subscribe: ">" } }
    ]
  }`,
}

describeEachClient('authorization', (kind, library) => {
  const servers = new Map<string, RunningServer>()
  const opened: ClientConnection[] = []
  const connect = async (name: keyof typeof configurations, options: object) => {
    const connection = await library.connect({
      servers: servers.get(name)!.url,
      reconnect: false,
      ...options,
    })
    opened.push(connection)
    return connection
  }

  beforeAll(async () => {
    for (const [name, configuration] of Object.entries(configurations)) {
      servers.set(name, await launch(kind, { configuration }))
    }
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()))
  })
  afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())))

  describe('connecting', () => {
    const accepted: readonly [string, keyof typeof configurations, object][] = [
      ['a user with a plain password', 'users', { user: 'alice', pass: 'secret' }],
      ['a user with a bcrypt password', 'users', { user: 'hashed', pass: 'correct horse' }],
      ['a token', 'token', { token: 's3cr3t-token' }],
      ['a bcrypt token', 'hashedToken', { token: 's3cr3t-token' }],
      ['nobody, as the user for the unauthenticated', 'noAuthUser', {}],
      [
        'a named user beside the one for the unauthenticated',
        'noAuthUser',
        { user: 'alice', pass: 'secret' },
      ],
    ]
    it.each(accepted)('accepts %s', async (_what, name, options) => {
      const connection = await connect(name, options)
      await connection.flush()
      expect(connection.isClosed()).toBe(false)
    })

    const refused: readonly [string, keyof typeof configurations, object][] = [
      ['nobody', 'users', {}],
      ['an unknown user', 'users', { user: 'mallory', pass: 'secret' }],
      ['a wrong password', 'users', { user: 'alice', pass: 'wrong' }],
      ['a missing password', 'users', { user: 'alice' }],
      ['a wrong password against a bcrypt one', 'users', { user: 'hashed', pass: 'wrong' }],
      ['the hash as a password', 'users', { user: 'hashed', pass: hashSync('correct horse', 4) }],
      ['a token where users are wanted', 'users', { token: 'secret' }],
      ['a wrong token', 'token', { token: 'wrong' }],
      ['no token', 'token', {}],
      ['a wrong token against a bcrypt one', 'hashedToken', { token: 'wrong' }],
      [
        'a wrong password beside the user for the unauthenticated',
        'noAuthUser',
        { user: 'alice', pass: 'wrong' },
      ],
    ]
    it.each(refused)('refuses %s', async (_what, name, options) => {
      expect(await rejectionText(connect(name, options))).toMatch(authorizationViolation)
    })

    it('says in INFO whether credentials are required', async () => {
      const connection = await connect('users', { user: 'alice', pass: 'secret' })
      expect(connection.info!.auth_required).toBe(true)
    })

    it('limits the unauthenticated to the permissions of their user', async () => {
      const guest = await connect('noAuthUser', {})
      const status = new StatusLog(guest)
      const subscription = guest.subscribe('open.door')
      guest.publish('closed.door', 'x')
      guest.publish('open.door', 'x')
      expect((await take(subscription, 1)).length).toBe(1)
      await status.find('error', /closed\.door/)
    })
  })

  describe('permissions', () => {
    const writer = { user: 'writer', pass: 'w' }
    const plain = { user: 'plain', pass: 'p' }

    it.each(['orders.new', 'logs.a.b.c'])('lets through a publish to %s', async (subject) => {
      const connection = await connect('permissions', writer)
      const status = new StatusLog(connection)
      connection.publish(subject, 'x')
      await connection.flush()
      expect(status.events.filter((event) => event.type === 'error')).toEqual([])
    })

    it.each(['orders', 'orders.new.big', 'other', 'logs.secret.key'])(
      'refuses a publish to %s, names it, and keeps the connection',
      async (subject) => {
        const connection = await connect('permissions', writer)
        const status = new StatusLog(connection)
        connection.publish(subject, 'x')
        const { text } = await status.find('error')
        expect(text.toLowerCase()).toContain('publish')
        expect(text).toContain(subject)
        await connection.flush()
        expect(connection.isClosed()).toBe(false)
      },
    )

    it.each(['other', 'events.private', '>'])(
      'refuses a subscription to %s, names it, and keeps the connection',
      async (subject) => {
        const connection = await connect('permissions', writer)
        const status = new StatusLog(connection)
        const ended = new Promise<Error | null>((resolve) => {
          connection.subscribe(subject, { callback: (error) => resolve(error) })
        })
        const { text } = await status.find('error')
        expect(text.toLowerCase()).toContain('subscription')
        expect(text).toContain(subject)
        expect(await ended).toBeInstanceOf(Error)
        await connection.flush()
        expect(connection.isClosed()).toBe(false)
      },
    )

    it('keeps denied subjects out of a wider subscription', async () => {
      const connection = await connect('permissions', writer)
      const subscription = connection.subscribe('events.*')
      await connection.flush()
      const publisher = await connect('permissions', { user: 'anybody', pass: 'x' })
      publisher.publish('events.private', 'x')
      publisher.publish('events.public', 'x')
      await publisher.flush()
      expect((await take(subscription, 1))[0]!.subject).toBe('events.public')
      await connection.flush()
      expect(subscription.getReceived()).toBe(1)
    })

    it('ties a queue subscription to the group that is allowed', async () => {
      const connection = await connect('permissions', { user: 'grouped', pass: 'g' })
      const status = new StatusLog(connection)
      const allowed = connection.subscribe('jobs', { queue: 'workers', callback: () => undefined })
      await connection.flush()
      expect(status.events.filter((event) => event.type === 'error')).toEqual([])
      connection.subscribe('jobs', { queue: 'others', callback: () => undefined })
      const { text } = await status.find('error')
      expect(text).toContain('jobs')
      expect(text).toContain('others')
      expect(allowed.isClosed()).toBe(false)
    })

    it('lets a service answer where it may not publish', async () => {
      const service = await connect('permissions', { user: 'service', pass: 's' })
      const asker = await connect('permissions', { user: 'asker', pass: 'a' })
      service.subscribe('questions', {
        callback: (_error, message) => void message.respond('answer'),
      })
      await service.flush()
      const reply = await asker.request('questions', '', { timeout: 4_000 })
      expect(reply.string()).toBe('answer')

      const status = new StatusLog(service)
      service.publish('elsewhere', 'x')
      await status.find('error', /elsewhere/)
    })

    it('gives users without permissions of their own the default ones', async () => {
      const connection = await connect('permissions', plain)
      const status = new StatusLog(connection)
      const subscription = connection.subscribe('default.x')
      connection.publish('default.x', 'x')
      await take(subscription, 1)
      connection.publish('other', 'x')
      await status.find('error', /other/)
    })
  })
})

describeEachServer('authorization by raw socket', (kind) => {
  const servers = new Map<string, RunningServer>()
  beforeAll(async () => {
    for (const name of ['users', 'permissions'] as const) {
      servers.set(name, await launch(kind, { configuration: configurations[name] }))
    }
  })
  afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())))

  const open = async (name: keyof typeof configurations, credentials: string) => {
    const connection = await RawConnection.open(servers.get(name)!)
    connection.send(
      `CONNECT {"verbose":false,"pedantic":false,"headers":true,${credentials}}\r\nPING\r\n`,
    )
    await connection.receive(/PONG\r\n/)
    return connection
  }

  it('closes a connection that sends nothing when its time is up', async () => {
    using connection = await RawConnection.open(servers.get('users')!)
    expect(await connection.receiveUntilClosed()).toBe("-ERR 'Authentication Timeout'\r\n")
  })

  it('leaves a connection alone that authenticated in time', async () => {
    using silent = await RawConnection.open(servers.get('users')!)
    using connection = await open('users', '"user":"alice","pass":"secret"')
    await silent.receiveUntilClosed()
    connection.send('PING\r\n')
    expect(await connection.receive(/PONG\r\n/)).toMatch(/PONG\r\n$/)
  })

  const violations: readonly [string, string, string, string][] = [
    [
      'a publish',
      '"user":"writer","pass":"w"',
      'PUB other 1\r\nx\r\n',
      `-ERR 'Permissions Violation for Publish to "other"'\r\n`,
    ],
    [
      'a publish with headers',
      '"user":"writer","pass":"w"',
      'HPUB other 12 12\r\nNATS/1.0\r\n\r\n\r\n',
      `-ERR 'Permissions Violation for Publish to "other"'\r\n`,
    ],
    [
      'a publish to an empty token',
      '"user":"writer","pass":"w"',
      'PUB other..x 1\r\nx\r\n',
      `-ERR 'Permissions Violation for Publish to "other..x"'\r\n`,
    ],
    [
      'a subscription',
      '"user":"writer","pass":"w"',
      'SUB other 1\r\n',
      `-ERR 'Permissions Violation for Subscription to "other"'\r\n`,
    ],
    [
      'a queue subscription',
      '"user":"writer","pass":"w"',
      'SUB other workers 1\r\n',
      `-ERR 'Permissions Violation for Subscription to "other" using queue "workers"'\r\n`,
    ],
    [
      'a queue that is not the allowed one',
      '"user":"grouped","pass":"g"',
      'SUB jobs others 1\r\n',
      `-ERR 'Permissions Violation for Subscription to "jobs" using queue "others"'\r\n`,
    ],
  ]
  it.each(violations)('words the violation of %s', async (_what, credentials, frame, expected) => {
    using connection = await open('permissions', credentials)
    connection.send(`${frame}PING\r\n`)
    expect(await connection.receive(/PONG\r\n/)).toBe(`${expected}PONG\r\n`)
  })

  it('acknowledges a refused operation on a verbose connection with the error only', async () => {
    using connection = await RawConnection.open(servers.get('permissions')!)
    connection.send('CONNECT {"verbose":true,"user":"writer","pass":"w"}\r\n')
    connection.send('PUB other 1\r\nx\r\nSUB other 1\r\nPING\r\n')
    expect(await connection.receive(/PONG\r\n/)).toBe(
      `+OK\r\n-ERR 'Permissions Violation for Publish to "other"'\r\n` +
        `-ERR 'Permissions Violation for Subscription to "other"'\r\nPONG\r\n`,
    )
  })

  it.each([
    ['a protocol that does not exist', '"protocol":5', "-ERR 'invalid client protocol'\r\n"],
    [
      'no responders without headers',
      '"no_responders":true,"headers":false',
      "-ERR 'no responders requires headers support'\r\n",
    ],
  ])('refuses %s also from a client with the right password', async (_what, field, expected) => {
    using connection = await RawConnection.open(servers.get('permissions')!)
    connection.send(`CONNECT {"verbose":false,"user":"writer","pass":"w",${field}}\r\nPING\r\n`)
    expect(await connection.receiveUntilClosed(5_000)).toBe(expected)
  })
})
