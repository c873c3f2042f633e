// What a server does at its limits: which error it words how, who is cut off, and that the others notice nothing.
import { afterEach, describe, expect, it } from 'vitest'
import {
  describeEachClient,
  errorText,
  rejectionText,
  StatusLog,
  withinBound,
  type ClientConnection,
} from './clients.js'
import { RawConnection } from './raw-connection.js'
import { describeEachServer, launch } from './server-under-test.js'

describeEachClient('limits', (kind, library) => {
  const opened: ClientConnection[] = []
  const open = async (servers: string, options: object = {}) => {
    const connection = await library.connect({ servers, reconnect: false, ...options })
    opened.push(connection)
    return connection
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()))
  })

  it('announces the largest payload, so that the client refuses a larger one by itself', async () => {
    await using server = await launch(kind, { configuration: 'max_payload: 1024' })
    const connection = await open(server.url)
    expect(connection.info!.max_payload).toBe(1_024)
    connection.publish('fits', new Uint8Array(1_024))
    expect(() => connection.publish('too.large', new Uint8Array(1_025))).toThrow(/payload/i)
    await connection.flush()
  })

  it('refuses connections over the maximum, and accepts again when one has left', async () => {
    await using server = await launch(kind, { configuration: 'max_connections: 2' })
    const [first] = [await open(server.url), await open(server.url)]
    // The client may write its CONNECT into the closing socket before it has read the error.
    expect(await rejectionText(open(server.url))).toMatch(
      /maximum connections exceeded|EPIPE|ECONNRESET|closed/i,
    )
    await first.close()
    await expect
      .poll(() =>
        open(server.url).then(
          () => 'connected',
          (error: unknown) => errorText(error),
        ),
      )
      .toBe('connected')
  })

  it('refuses subscriptions over the maximum', async () => {
    await using server = await launch(kind, { configuration: 'max_subscriptions: 3' })
    const connection = await open(server.url)
    const status = new StatusLog(connection)
    for (let index = 0; index < 4; index += 1) {
      connection.subscribe(`s.${index}`, { callback: () => undefined })
    }
    const closed = withinBound(connection.closed(), 5_000, () => 'not closed')
    const outcome = await Promise.race([
      status.find('error').then((event) => event.text),
      closed.then((error) => errorText(error)),
    ])
    expect(outcome).toMatch(/maximum subscriptions exceeded|NATS_PROTOCOL_ERR/i)
  })
})

describeEachServer('limits by raw socket', (kind) => {
  const connectLine = 'CONNECT {"verbose":false}\r\n'

  describe('the words of the errors', () => {
    it('names the maximum of connections and closes', async () => {
      await using server = await launch(kind, { configuration: 'max_connections: 1' })
      using first = await RawConnection.open(server)
      first.send(`${connectLine}PING\r\n`)
      await first.receive(/PONG\r\n/)
      using second = await RawConnection.open(server, { awaitInfo: false })
      const answer = await second.receiveUntilClosed()
      expect(answer.replace(/^INFO .*\r\n/, '')).toBe("-ERR 'maximum connections exceeded'\r\n")
    })

    it('names the maximum of subscriptions', async () => {
      await using server = await launch(kind, { configuration: 'max_subscriptions: 1' })
      using connection = await RawConnection.open(server)
      connection.send(`${connectLine}SUB a 1\r\nSUB b 2\r\nPING\r\n`)
      const answer = await connection.receiveUntilClosedOr(/PONG\r\n/)
      expect(answer).toEqual({
        answer: "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n",
        closed: false,
      })
    })

    it('names the maximum of subject tokens', async () => {
      await using server = await launch(kind, { configuration: 'max_sub_tokens: 3' })
      using connection = await RawConnection.open(server)
      connection.send(`${connectLine}SUB a.b.c 1\r\nSUB a.b.c.d 2\r\nPING\r\n`)
      const answer = await connection.receiveUntilClosedOr(/PONG\r\n/)
      expect(answer).toEqual({
        answer:
          `-ERR 'Permissions Violation for Subscription to "a.b.c.d", too many tokens'\r\n` +
          'PONG\r\n',
        closed: false,
      })
    })

    it('names the longest control line and closes', async () => {
      await using server = await launch(kind, { configuration: 'max_control_line: 512' })
      using connection = await RawConnection.open(server)
      connection.send(`${connectLine}SUB ${'s'.repeat(600)} 1\r\nPING\r\n`)
      expect(await connection.receiveUntilClosed()).toBe("-ERR 'maximum control line exceeded'\r\n")
    })

    it('names the largest payload and closes', async () => {
      await using server = await launch(kind, { configuration: 'max_payload: 1K' })
      using connection = await RawConnection.open(server)
      connection.send(`${connectLine}PUB a 1025\r\n`)
      expect(await connection.receiveUntilClosed()).toBe("-ERR 'Maximum Payload Violation'\r\n")
    })
  })

  it('frees a place among the subscriptions when one is unsubscribed', async () => {
    await using server = await launch(kind, { configuration: 'max_subscriptions: 1' })
    using connection = await RawConnection.open(server)
    connection.send(`${connectLine}SUB a 1\r\nUNSUB 1\r\nSUB b 2\r\nPING\r\n`)
    expect(await connection.receive(/PONG\r\n/)).toBe('PONG\r\n')
  })
})
