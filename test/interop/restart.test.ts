// A server that goes away, in the ways in which it does: restarted, put into lame duck mode, or told to reload.
import { afterEach, describe, expect, it } from 'vitest'
import {
  describeEachClient,
  rejectionText,
  StatusLog,
  take,
  withinBound,
  type ClientConnection,
} from './clients.js'
import { RawConnection } from './raw-connection.js'
import { describeEachServer, launch } from './server-under-test.js'

describeEachClient('restart', (kind, library) => {
  const opened: ClientConnection[] = []
  const open = async (servers: string | string[], options: object = {}) => {
    const connection = await library.connect({
      servers,
      reconnectTimeWait: 50,
      reconnectJitter: 0,
      maxReconnectAttempts: -1,
      ...options,
    })
    opened.push(connection)
    return connection
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()))
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'resumes every subscription when the server comes back on the same port after %s',
    async (signal) => {
      await using before = await launch(kind)
      const connection = await open(before.url)
      const status = new StatusLog(connection)
      const plain = connection.subscribe('plain')
      const grouped = connection.subscribe('grouped.*', { queue: 'workers' })
      const limited = connection.subscribe('limited', { max: 3 })
      connection.publish('limited', 'before')
      await connection.flush()

      before.signal(signal)
      await before.exited
      await before.stop()
      await status.find('disconnect')
      await using after = await launch(kind, { port: before.port })
      await status.find('reconnect')

      const publisher = await open(after.url)
      for (let index = 0; index < 5; index += 1) publisher.publish('limited', `${index}`)
      publisher.publish('plain', 'back')
      publisher.publish('grouped.x', 'back')
      expect((await take(plain, 1))[0]!.string()).toBe('back')
      expect((await take(grouped, 1))[0]!.string()).toBe('back')
      const received: string[] = []
      for await (const message of limited) received.push(message.string())
      expect(received).toEqual(['before', '0', '1'])
    },
  )

  describe('lame duck mode', () => {
    // Thirty seconds is the shortest duration that the configuration takes; with two clients it is a second or so.
    const configuration = 'lame_duck_duration: "30s", lame_duck_grace_period: "300ms"'

    it('tells clients, moves them to another server, and exits', async () => {
      await using other = await launch(kind)
      await using leaving = await launch(kind, { configuration })
      const connection = await open([leaving.url, other.url], { noRandomize: true })
      const status = new StatusLog(connection)
      const subscription = connection.subscribe('moved')
      await connection.flush()

      leaving.signal('SIGUSR2')
      await status.find('ldm')
      await expect(library.connect({ servers: leaving.url, reconnect: false })).rejects.toThrow()
      await status.find('reconnect')
      expect(await withinBound(leaving.exited, 8_000, () => 'not exited')).toBe(0)

      const publisher = await open(other.url)
      publisher.publish('moved', 'here')
      expect((await take(subscription, 1))[0]!.string()).toBe('here')
      expect(connection.getServer()).toContain(`${other.port}`)
    })
  })

  describe('reload', () => {
    const users = (...names: string[]) =>
      `authorization { users: [ ${names.map((name) => `{ user: ${name}, password: ${name} }`).join(', ')} ] }`
    const credentials = (name: string) => ({ user: name, pass: name, reconnect: false })

    it('lets a new user in and leaves connected users alone', async () => {
      await using server = await launch(kind, { configuration: users('alice') })
      const alice = await open(server.url, credentials('alice'))
      expect(await rejectionText(open(server.url, credentials('bob')))).toMatch(/authorization/i)

      await server.writeConfiguration(users('alice', 'bob'))
      server.signal('SIGHUP')
      await expect
        .poll(() =>
          open(server.url, credentials('bob')).then(
            () => 'connected',
            () => 'refused',
          ),
        )
        .toBe('connected')
      await alice.flush()
      expect(alice.isClosed()).toBe(false)
    })

    it('turns out a user who is no longer there', async () => {
      await using server = await launch(kind, { configuration: users('alice', 'bob') })
      const alice = await open(server.url, credentials('alice'))
      const bob = await open(server.url, credentials('bob'))
      await server.writeConfiguration(users('alice'))
      server.signal('SIGHUP')
      await withinBound(bob.closed(), 5_000, () => 'still connected')
      await alice.flush()
    })

    it('keeps running on the old configuration when the new one is broken', async () => {
      await using server = await launch(kind, { configuration: users('alice') })
      const alice = await open(server.url, credentials('alice'))
      await server.writeConfiguration('authorization { users: [ { user: ')
      server.signal('SIGHUP')
      await server.logged('Failed to reload')
      await alice.flush()
      await open(server.url, credentials('alice'))
    })

    it('applies a new largest payload to new connections', async () => {
      await using server = await launch(kind, { configuration: 'max_payload: 1024' })
      await server.writeConfiguration('max_payload: 2048')
      server.signal('SIGHUP')
      await expect
        .poll(async () => {
          const connection = await open(server.url)
          return connection.info!.max_payload
        })
        .toBe(2_048)
    })
  })
})

describeEachServer('restart by raw socket', (kind) => {
  it('announces lame duck mode in an INFO, then closes the connection', async () => {
    await using server = await launch(kind, {
      configuration: 'lame_duck_duration: "30s", lame_duck_grace_period: "100ms"',
    })
    using connection = await RawConnection.open(server)
    connection.send('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n')
    await connection.receive(/PONG\r\n/)
    server.signal('SIGUSR2')
    await connection.receive(/INFO \{.*"ldm":true.*\}.*\r\n/)
    await connection.receiveUntilClosed()
    expect(await server.exited).toBe(0)
  })

  it('does not announce it to a client that speaks no asynchronous INFO', async () => {
    await using server = await launch(kind, {
      configuration: 'lame_duck_duration: "30s", lame_duck_grace_period: "100ms"',
    })
    using connection = await RawConnection.open(server)
    connection.send('CONNECT {"verbose":false,"protocol":0}\r\nPING\r\n')
    await connection.receive(/PONG\r\n/)
    server.signal('SIGUSR2')
    expect(await connection.receiveUntilClosed()).not.toMatch(/ldm/)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'closes connections and exits with 0 on %s',
    async (signal) => {
      await using server = await launch(kind)
      using connection = await RawConnection.open(server)
      connection.send('CONNECT {"verbose":false}\r\nPING\r\n')
      await connection.receive(/PONG\r\n/)
      server.signal(signal)
      await connection.receiveUntilClosed()
      expect(await server.exited).toBe(0)
    },
  )

  it('refuses to start on a configuration that it cannot read', async () => {
    await expect(launch(kind, { configuration: 'authorization { users: [ {' })).rejects.toThrow(
      /ended before/,
    )
    await expect(launch(kind, { configuration: 'max_payload: banana' })).rejects.toThrow(
      /ended before/,
    )
  })

  it('ends a connection that never said who it is when a reload asks for it', async () => {
    await using server = await launch(kind, { configuration: 'max_payload: 1MB' })
    using stranger = await RawConnection.open(server)
    stranger.send('SUB secret 1\r\nPING\r\n')
    await stranger.receive(/PONG\r\n/)
    await server.writeConfiguration('authorization { user: alice, password: secret }')
    server.signal('SIGHUP')
    expect(await stranger.receiveUntilClosed(5_000)).toContain("-ERR 'Authorization Violation'")
  })
})
