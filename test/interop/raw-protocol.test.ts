// The protocol as seen by a socket: the first INFO, acknowledgements, pedantic checks, keep-alive and the no-responders
// status. What breaks the protocol is in malformed-frames.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from 'node:net'
import { once } from 'node:events'
import { RawConnection } from './raw-connection.js'
import { describeEachServer, launch, type RunningServer } from './server-under-test.js'

const quiet = { verbose: false, pedantic: false, headers: true }

describeEachServer('the protocol by raw socket', (kind) => {
  let server: RunningServer
  beforeAll(async () => {
    server = await launch(kind, { configuration: 'ping_interval: "300ms", ping_max: 2' })
  })
  afterAll(() => server?.stop())

  const open = async (options: object = {}) => {
    const connection = await RawConnection.open(server)
    connection.send(`CONNECT ${JSON.stringify({ ...quiet, ...options })}\r\n`)
    return connection
  }
  const exchange = async (connection: RawConnection, bytes: string) => {
    connection.send(`${bytes}PING\r\n`)
    return (await connection.receive(/PONG\r\n/)).replace(/^PING\r\n/gm, '')
  }

  it('greets with an INFO that names what clients look for', async () => {
    const socket = connect(server.port, server.host)
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    const line = chunk.toString()
    expect(line).toMatch(/^INFO \{.*\} ?\r\n$/)
    const info = JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>
    expect(info).toMatchObject({
      server_id: expect.stringMatching(/^N[A-Z2-7]{55}$/) as string,
      proto: 1,
      headers: true,
      max_payload: 1_048_576,
      client_ip: '127.0.0.1',
      host: '127.0.0.1',
      port: server.port,
    })
    for (const absent of ['auth_required', 'tls_required', 'ldm', 'nonce', 'cluster']) {
      expect(info).not.toHaveProperty(absent)
    }
  })

  it('gives every connection an id of its own', async () => {
    const ids = new Set<unknown>()
    for (let index = 0; index < 3; index += 1) {
      const socket = connect(server.port, server.host)
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      ids.add((JSON.parse(chunk.toString().slice(5)) as { client_id: number }).client_id)
    }
    expect(ids.size).toBe(3)
  })

  describe('verbose', () => {
    it('acknowledges CONNECT, SUB, PUB and UNSUB, and nothing else', async () => {
      using connection = await open({ verbose: true })
      const answer = await exchange(connection, 'SUB a 1\r\nPUB b 0\r\n\r\nUNSUB 1\r\nPONG\r\n')
      expect(answer).toBe('+OK\r\n+OK\r\n+OK\r\n+OK\r\nPONG\r\n')
    })

    it('is on for a client that sends no CONNECT', async () => {
      using connection = await RawConnection.open(server)
      expect(await exchange(connection, 'SUB a 1\r\n')).toBe('+OK\r\nPONG\r\n')
    })

    it('acknowledges a publish before its own delivery', async () => {
      using connection = await open({ verbose: true })
      const answer = await exchange(connection, 'SUB own 1\r\nPUB own 2\r\nhi\r\n')
      expect(answer).toBe('+OK\r\n+OK\r\n+OK\r\nMSG own 1 2\r\nhi\r\nPONG\r\n')
    })
  })

  it('complains about a wildcard publish when pedantic, and delivers it all the same', async () => {
    using connection = await open({ pedantic: true })
    const answer = await exchange(connection, 'SUB pedant.> 1\r\nPUB pedant.* 0\r\n\r\n')
    expect(answer).toBe("-ERR 'Invalid Publish Subject'\r\nMSG pedant.* 1 0\r\n\r\nPONG\r\n")
  })

  it('is pedantic with a client that does not say', async () => {
    using connection = await RawConnection.open(server)
    connection.send('CONNECT {"verbose":false}\r\n')
    expect(await exchange(connection, 'PUB pedant..x 0\r\n\r\n')).toBe(
      "-ERR 'Invalid Publish Subject'\r\nPONG\r\n",
    )
  })

  it('does not echo when echo is off', async () => {
    using connection = await open({ echo: false })
    expect(await exchange(connection, 'SUB e 1\r\nPUB e 0\r\n\r\n')).toBe('PONG\r\n')
  })

  it('takes frames in whatever pieces they come', async () => {
    using connection = await open()
    const bytes =
      'SUB pieces.> 42\r\nPUB pieces.x reply.y 5\r\nhello\r\nHPUB pieces.h 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nPING\r\n'
    for (const byte of bytes) {
      connection.send(byte)
      await new Promise(setImmediate)
    }
    const answer = (await connection.receive(/PONG\r\n/)).replace(/^PING\r\n/gm, '')
    expect(answer).toBe(
      'MSG pieces.x 42 reply.y 5\r\nhello\r\nHMSG pieces.h 42 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nPONG\r\n',
    )
  })

  it('cuts headers off for a subscriber that did not ask for them', async () => {
    using plain = await open({ headers: false })
    using headed = await open()
    expect(await exchange(plain, 'SUB cut 1\r\n')).toBe('PONG\r\n')
    await exchange(headed, 'HPUB cut 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n')
    expect(await exchange(plain, '')).toBe('MSG cut 1 2\r\nhi\r\nPONG\r\n')
  })

  it('answers a request without responders with a 503 that names the subject', async () => {
    using connection = await open({ no_responders: true })
    expect(await exchange(connection, 'SUB inbox.* 1\r\nPUB nobody inbox.7 2\r\nhi\r\n')).toBe(
      'HMSG inbox.7 1 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\nPONG\r\n',
    )
  })

  it('sends no 503 to a client that did not ask for it', async () => {
    using connection = await open()
    expect(await exchange(connection, 'SUB inbox.* 1\r\nPUB nobody inbox.7 0\r\n\r\n')).toBe(
      'PONG\r\n',
    )
  })

  it('sends a 503 when the only subscriber is the requester itself, with echo off', async () => {
    using connection = await open({ no_responders: true, echo: false })
    const answer = await exchange(connection, 'SUB box 1\r\nSUB self 2\r\nPUB self box 0\r\n\r\n')
    expect(answer).toBe(
      'HMSG box 1 36 36\r\nNATS/1.0 503\r\nNats-Subject: self\r\n\r\n\r\nPONG\r\n',
    )
  })

  it('tells a client that takes asynchronous INFO its account, after its first PONG', async () => {
    using connection = await open({ protocol: 1 })
    expect(await exchange(connection, '')).toBe('PONG\r\n')
    const line = await connection.receive(/INFO \{.*\} ?\r\n/)
    expect(JSON.parse(line.slice(line.indexOf('{')))).toMatchObject({
      connect_info: true,
      remote_account: '$G',
      client_id: expect.any(Number) as number,
    })
  })

  it('pings a quiet client and calls it stale when it does not answer', async () => {
    using connection = await open()
    connection.send('PING\r\n')
    const answer = await connection.receiveUntilClosed()
    expect(answer).toMatch(/^PONG\r\n(?:PING\r\n)+-ERR 'Stale Connection'\r\n$/)
  })

  it('keeps a quiet client that answers', async () => {
    using connection = await open()
    for (let index = 0; index < 4; index += 1) {
      await connection.receive(/PING\r\n/)
      connection.send('PONG\r\n')
    }
    expect(connection.isClosed).toBe(false)
  })
})
