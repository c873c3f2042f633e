// What people use a broker for, by the official clients: publishing, patterns, groups, headers, requests and draining.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { describeEachClient, isNoResponders, take, type ClientConnection } from './clients.js'
import { launch, type RunningServer } from './server-under-test.js'

describeEachClient('messaging', (kind, library) => {
  let server: RunningServer
  const opened: ClientConnection[] = []
  const open = async (options: object = {}) => {
    const connection = await library.connect({ servers: server.url, ...options })
    opened.push(connection)
    return connection
  }

  beforeAll(async () => {
    server = await launch(kind)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()))
  })
  afterAll(() => server?.stop())

  describe('publish and subscribe', () => {
    it('delivers subject and payload unchanged, in the order of publishing', async () => {
      const [publisher, subscriber] = [await open(), await open()]
      const subscription = subscriber.subscribe('greet.joe')
      await subscriber.flush()
      for (let index = 0; index < 1_000; index += 1) publisher.publish('greet.joe', `${index}`)
      const messages = await take(subscription, 1_000)
      expect(messages.map((message) => message.string())).toEqual(
        Array.from({ length: 1_000 }, (_, index) => `${index}`),
      )
      expect(new Set(messages.map((message) => message.subject))).toEqual(new Set(['greet.joe']))
    })

    it('carries every byte value and an empty payload', async () => {
      const connection = await open()
      const subscription = connection.subscribe('bytes')
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      connection.publish('bytes', bytes)
      connection.publish('bytes')
      const [full, empty] = await take(subscription, 2)
      expect([...full!.data]).toEqual([...bytes])
      expect(empty!.data.length).toBe(0)
    })

    it('carries a payload of the largest size that the server announces', async () => {
      const connection = await open()
      const subscription = connection.subscribe('large')
      const sizeBytes = connection.info!.max_payload
      connection.publish('large', new Uint8Array(sizeBytes).fill(7))
      const [message] = await take(subscription, 1)
      expect(message!.data.length).toBe(sizeBytes)
      expect(message!.data.every((byte) => byte === 7)).toBe(true)
    })

    it('carries the reply subject', async () => {
      const connection = await open()
      const subscription = connection.subscribe('with.reply')
      connection.publish('with.reply', 'x', { reply: 'my.inbox' })
      const [message] = await take(subscription, 1)
      expect(message!.reply).toBe('my.inbox')
    })

    it('gives each of several subscriptions on one connection its own copy', async () => {
      const connection = await open()
      const subscriptions = ['copy', 'copy', '>'].map((subject) => connection.subscribe(subject))
      connection.publish('copy', 'x')
      await Promise.all(subscriptions.map((subscription) => take(subscription, 1)))
      await connection.flush()
      expect(subscriptions.map((each) => each.getReceived())).toEqual([1, 1, 1])
    })

    it('forgets messages that were published before the subscription', async () => {
      const connection = await open()
      connection.publish('early', 'x')
      await connection.flush()
      const subscription = connection.subscribe('early')
      await connection.flush()
      expect(subscription.getReceived()).toBe(0)
    })

    it('does not deliver after unsubscribing', async () => {
      const connection = await open()
      const subscription = connection.subscribe('left')
      subscription.unsubscribe()
      connection.publish('left', 'x')
      await connection.flush()
      expect(subscription.getReceived()).toBe(0)
    })

    it('does not echo to a connection that asked for none', async () => {
      const [quiet, other] = [await open({ noEcho: true }), await open()]
      const own = quiet.subscribe('echo')
      const theirs = other.subscribe('echo')
      await Promise.all([quiet.flush(), other.flush()])
      quiet.publish('echo', 'from quiet')
      await quiet.flush()
      other.publish('echo', 'from other')
      expect((await take(own, 1))[0]!.string()).toBe('from other')
      expect((await take(theirs, 2)).map((each) => each.string())).toEqual([
        'from quiet',
        'from other',
      ])
    })
  })

  describe('patterns', () => {
    const subjects = ['a', 'a.b', 'a.b.c', 'a.x', 'a.x.c', 'b', 'b.b', 'b.b.c', 'a.b.c.d']
    const patterns: readonly [string, readonly string[]][] = [
      ['a', ['a']],
      ['*', ['a', 'b']],
      ['>', subjects],
      ['a.*', ['a.b', 'a.x']],
      ['*.b', ['a.b', 'b.b']],
      ['a.>', ['a.b', 'a.b.c', 'a.x', 'a.x.c', 'a.b.c.d']],
      ['a.*.c', ['a.b.c', 'a.x.c']],
      ['*.*', ['a.b', 'a.x', 'b.b']],
      ['*.*.>', ['a.b.c', 'a.x.c', 'b.b.c', 'a.b.c.d']],
      ['a.*.c.>', ['a.b.c.d']],
      ['A.b', []],
    ]

    it.each(patterns)('%s matches what it should and nothing else', async (pattern, expected) => {
      const connection = await open()
      // A prefix keeps the client's own inbox and other traffic out of '>'.
      const subscription = connection.subscribe(`root.${pattern}`)
      for (const subject of subjects) connection.publish(`root.${subject}`, 'x')
      await connection.flush()
      expect(subscription.getReceived()).toBe(expected.length)
      const messages = expected.length === 0 ? [] : await take(subscription, expected.length)
      expect(messages.map((message) => message.subject)).toEqual(
        expected.map((subject) => `root.${subject}`),
      )
    })
  })

  describe('queue groups', () => {
    it('gives each message to one member, and every member a fair share', async () => {
      const members = await Promise.all([open(), open(), open()])
      const publisher = await open()
      const subscriptions = members.map((each) => each.subscribe('work', { queue: 'workers' }))
      await Promise.all(members.map((each) => each.flush()))

      const count = 3_000
      for (let index = 0; index < count; index += 1) publisher.publish('work', `${index}`)
      await publisher.flush()
      await Promise.all(members.map((each) => each.flush()))

      const shares = subscriptions.map((each) => each.getReceived())
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(count)
      // A third each; 700 is more than ten standard deviations below the mean of a random choice.
      for (const share of shares) expect(share).toBeGreaterThan(700)
      const seen = await Promise.all(subscriptions.map((each, index) => take(each, shares[index]!)))
      expect(new Set(seen.flat().map((message) => message.string())).size).toBe(count)
    })

    it('delivers to every group and to every plain subscriber', async () => {
      const connection = await open()
      const subscriptions = [
        connection.subscribe('both', { queue: 'one' }),
        connection.subscribe('both', { queue: 'one' }),
        connection.subscribe('both', { queue: 'two' }),
        connection.subscribe('both'),
      ]
      for (let index = 0; index < 100; index += 1) connection.publish('both', 'x')
      await connection.flush()
      const [first, second, other, plain] = subscriptions.map((each) => each.getReceived())
      expect(first! + second!).toBe(100)
      expect([other, plain]).toEqual([100, 100])
    })

    it('makes one group of the same name on overlapping patterns', async () => {
      const connection = await open()
      const exact = connection.subscribe('apart.x', { queue: 'same' })
      const pattern = connection.subscribe('apart.*', { queue: 'same' })
      for (let index = 0; index < 50; index += 1) connection.publish('apart.x', 'x')
      await connection.flush()
      expect(exact.getReceived() + pattern.getReceived()).toBe(50)
      expect(exact.getReceived()).toBeGreaterThan(0)
      expect(pattern.getReceived()).toBeGreaterThan(0)
    })

    it('hands the work to the members that are left when one goes away', async () => {
      const [staying, leaving, publisher] = await Promise.all([open(), open(), open()])
      const stays = staying.subscribe('shift', { queue: 'workers' })
      leaving.subscribe('shift', { queue: 'workers' })
      await Promise.all([staying.flush(), leaving.flush()])
      await leaving.close()
      const { monitorUrl } = server
      await expect
        .poll(async () => {
          const subsz = await fetch(`${monitorUrl}/subsz?subs=1&test=shift`)
          return ((await subsz.json()) as { total: number }).total
        })
        .toBe(1)
      for (let index = 0; index < 100; index += 1) publisher.publish('shift', 'x')
      await publisher.flush()
      await staying.flush()
      expect(stays.getReceived()).toBe(100)
    })
  })

  describe('headers', () => {
    it('carries several values of one name in order, and the case of names', async () => {
      const connection = await open()
      const subscription = connection.subscribe('headed')
      const headers = library.headers()
      headers.append('X-Colour', 'red')
      headers.append('X-Colour', 'green')
      headers.append('x-colour', 'blue')
      headers.append('ce-Type', 'a: b; c=ü')
      connection.publish('headed', 'body', { headers })
      const [message] = await take(subscription, 1)
      expect([...message!.headers!]).toEqual([
        ['X-Colour', ['red', 'green']],
        ['x-colour', ['blue']],
        ['ce-Type', ['a: b; c=ü']],
      ])
      expect(message!.string()).toBe('body')
    })

    it('carries headers with an empty body', async () => {
      const connection = await open()
      const subscription = connection.subscribe('headed.empty')
      const headers = library.headers()
      headers.set('Only', 'this')
      connection.publish('headed.empty', '', { headers })
      const [message] = await take(subscription, 1)
      expect(message!.headers!.get('Only')).toBe('this')
      expect(message!.data.length).toBe(0)
    })

    it('delivers messages without headers without headers', async () => {
      const connection = await open()
      const subscription = connection.subscribe('bare')
      connection.publish('bare', 'x')
      const [message] = await take(subscription, 1)
      expect(message!.headers).toBeUndefined()
    })
  })

  describe('requests', () => {
    it.each([true, false])('answers a request with headers (an inbox each: %s)', async (noMux) => {
      const [requester, responder] = [await open(), await open()]
      responder.subscribe('add', {
        callback: (_error, message) => {
          const headers = library.headers()
          headers.set('Seen', message.headers?.get('Trace') ?? 'none')
          message.respond(`${Number(message.string()) + 1}`, { headers })
        },
      })
      await responder.flush()
      const headers = library.headers()
      headers.set('Trace', 'abc')
      const reply = await requester.request('add', '41', { timeout: 4_000, headers, noMux })
      expect(reply.string()).toBe('42')
      expect(reply.headers?.get('Seen')).toBe('abc')
    })

    it('answers five hundred requests at once, each with its own reply', async () => {
      const [requester, responder] = [await open(), await open()]
      responder.subscribe('double', {
        queue: 'doublers',
        callback: (_error, message) => void message.respond(`${Number(message.string()) * 2}`),
      })
      await responder.flush()
      const numbers = Array.from({ length: 500 }, (_, index) => index)
      const replies = await Promise.all(
        numbers.map((number) => requester.request('double', `${number}`, { timeout: 4_000 })),
      )
      expect(replies.map((reply) => Number(reply.string()))).toEqual(numbers.map((n) => n * 2))
    })

    it('collects the replies of many responders', async () => {
      const [requester, responder] = [await open(), await open()]
      for (const name of ['one', 'two', 'three']) {
        responder.subscribe('roll.call', {
          callback: (_error, message) => void message.respond(name),
        })
      }
      await responder.flush()
      const replies = await requester.requestMany('roll.call', '', {
        strategy: 'count',
        maxMessages: 3,
        maxWait: 4_000,
      })
      const names: string[] = []
      for await (const reply of replies) names.push(reply.string())
      expect(names.sort()).toEqual(['one', 'three', 'two'])
    })

    it('collects replies up to an empty one', async () => {
      const [requester, responder] = [await open(), await open()]
      responder.subscribe('rows', {
        callback: (_error, message) => {
          for (const row of ['a', 'b', 'c', '']) message.respond(row)
        },
      })
      await responder.flush()
      const replies = await requester.requestMany('rows', '', {
        strategy: 'sentinel',
        maxWait: 4_000,
      })
      const rows: string[] = []
      for await (const reply of replies) rows.push(reply.string())
      expect(rows.filter((row) => row !== '')).toEqual(['a', 'b', 'c'])
    })

    it('says at once that there are no responders', async () => {
      const connection = await open()
      const startedAtMs = performance.now()
      const error: unknown = await connection
        .request('nobody.home', '', { timeout: 8_000 })
        .catch((reason: unknown) => reason)
      expect(isNoResponders(error)).toBe(true)
      expect(performance.now() - startedAtMs).toBeLessThan(2_000)
    })

    it('counts a queue group as a responder', async () => {
      const connection = await open()
      connection.subscribe('grouped', {
        queue: 'group',
        callback: (_error, message) => void message.respond('here'),
      })
      expect((await connection.request('grouped', '', { timeout: 4_000 })).string()).toBe('here')
    })
  })

  describe('unsubscribing and draining', () => {
    it('ends a subscription after its maximum', async () => {
      const connection = await open()
      const subscription = connection.subscribe('limited', { max: 3 })
      for (let index = 0; index < 10; index += 1) connection.publish('limited', `${index}`)
      const received: string[] = []
      for await (const message of subscription) received.push(message.string())
      await connection.flush()
      expect(received).toEqual(['0', '1', '2'])
      expect(subscription.isClosed()).toBe(true)
    })

    it('ends a subscription whose maximum is set later', async () => {
      const connection = await open()
      const subscription = connection.subscribe('limited.later')
      connection.publish('limited.later', '0')
      subscription.unsubscribe(2)
      for (let index = 1; index < 5; index += 1) connection.publish('limited.later', `${index}`)
      const received: string[] = []
      for await (const message of subscription) received.push(message.string())
      expect(received).toEqual(['0', '1'])
    })

    it('loses nothing that was published before a subscription is drained', async () => {
      const [publisher, subscriber] = [await open(), await open()]
      const received: string[] = []
      const subscription = subscriber.subscribe('drained', {
        callback: (_error, message) => void received.push(message.string()),
      })
      await subscriber.flush()
      for (let index = 0; index < 5_000; index += 1) publisher.publish('drained', `${index}`)
      await publisher.flush()
      await subscription.drain()
      expect(received.length).toBe(5_000)
      publisher.publish('drained', 'late')
      await publisher.flush()
      await subscriber.flush()
      expect(received.length).toBe(5_000)
    })

    it('loses nothing in either direction when a connection is drained', async () => {
      const [publisher, subscriber, audience] = [await open(), await open(), await open()]
      const heard = audience.subscribe('forwarded')
      await audience.flush()
      subscriber.subscribe('incoming', {
        callback: (_error, message) => subscriber.publish('forwarded', message.data),
      })
      await subscriber.flush()
      for (let index = 0; index < 5_000; index += 1) publisher.publish('incoming', `${index}`)
      await publisher.flush()
      await subscriber.drain()
      expect(subscriber.isClosed()).toBe(true)
      expect((await take(heard, 5_000)).length).toBe(5_000)
    })
  })

  describe('a connection', () => {
    it('answers rtt and flush', async () => {
      const connection = await open()
      expect(await connection.rtt()).toBeGreaterThanOrEqual(0)
      await Promise.all(Array.from({ length: 100 }, () => connection.flush()))
    })

    it('is told what the server is', async () => {
      const { info } = await open()
      expect(info).toMatchObject({
        server_id: expect.stringMatching(/\S+/) as string,
        server_name: expect.stringMatching(/\S+/) as string,
        version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
        go: expect.any(String) as string,
        host: expect.any(String) as string,
        port: server.port,
        proto: 1,
        headers: true,
        max_payload: 1_048_576,
        client_ip: '127.0.0.1',
      })
      expect(info!.client_id).toBeGreaterThan(0)
    })

    it.each([{ verbose: true }, { pedantic: true }, { verbose: true, pedantic: true }])(
      'works with %o',
      async (options) => {
        const connection = await open(options)
        const subscription = connection.subscribe('modes')
        for (let index = 0; index < 100; index += 1) connection.publish('modes', 'x')
        expect((await take(subscription, 100)).length).toBe(100)
      },
    )

    it('holds 10,000 subscriptions, each of which receives its own message', async () => {
      const [subscriber, publisher] = [await open(), await open()]
      const count = 10_000
      const received = new Array<number>(count).fill(0)
      for (let index = 0; index < count; index += 1) {
        subscriber.subscribe(`many.${index}`, {
          callback: (_error, message) => {
            if (message.string() === `${index}`) received[index]! += 1
          },
        })
      }
      await subscriber.flush()
      for (let index = 0; index < count; index += 1) publisher.publish(`many.${index}`, `${index}`)
      await publisher.flush()
      await subscriber.flush()
      expect(received.every((times) => times === 1)).toBe(true)
    })
  })
})
