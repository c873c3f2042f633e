// Services in the convention of NATS: ours found by the official client and by the `nats` command line, and theirs by ours,
// on Fanfare's server and on the real one.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Svcm } from '@nats-io/services'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBroker, replyFailed, type Broker } from '../../src/broker/index.js'
import { describeEachServer, findProgram, launch, type RunningServer } from './server-under-test.js'

const program = process.env.NATS_COMMAND ?? findProgram('nats')
const run = promisify(execFile)

describeEachServer('services', (kind) => {
  let server: RunningServer
  let broker: Broker
  let client: NatsConnection
  /** The official library is built on another copy of the client's core, whose types are its own. */
  let services: Svcm

  beforeAll(async () => {
    server = await launch(kind)
    broker = await openBroker({ url: server.url })
    client = await connect({ servers: server.url })
    services = new Svcm(client as unknown as ConstructorParameters<typeof Svcm>[0])
  })
  afterAll(async () => {
    await client?.close()
    await broker?.close()
    await server?.stop()
  })

  const openOurs = async () => {
    const service = await broker.service({
      name: 'users',
      version: '1.2.3',
      description: 'Accounts',
      metadata: { zone: 'a' },
    })
    service.endpoint('user.get', ({ data }) => ({ id: data }), { metadata: { unit: 'none' } })
    service.group('v1').endpoint('fail', () => {
      throw replyFailed(404, 'no such user', { id: 7 })
    })
    await broker.flush()
    return service
  }

  it('of ours are found, described and counted by the official client', async () => {
    await using ours = await openOurs()
    expect((await client.request('user.get', '7')).json()).toEqual({ id: 7 })
    const failure = await client.request('v1.fail', '7')
    expect(failure.headers?.get('Nats-Service-Error-Code')).toBe('404')
    expect(failure.headers?.get('Nats-Service-Error')).toBe('no such user')
    expect(failure.json()).toEqual({ id: 7 })

    const official = services.client()
    const pings = await gather(await official.ping())
    expect(pings).toEqual([
      {
        type: 'io.nats.micro.v1.ping_response',
        name: 'users',
        id: ours.id,
        version: '1.2.3',
        metadata: { zone: 'a' },
      },
    ])
    const [info] = await gather(await official.info('users'))
    expect(info).toMatchObject({
      description: 'Accounts',
      endpoints: [
        { name: 'user-get', subject: 'user.get', queue_group: 'q', metadata: { unit: 'none' } },
        { name: 'fail', subject: 'v1.fail', queue_group: 'q' },
      ],
    })
    const [stats] = await gather(await official.stats('users', ours.id))
    expect(stats!.endpoints).toMatchObject([
      { name: 'user-get', num_requests: 1, num_errors: 0, last_error: '' },
      { name: 'fail', num_requests: 1, num_errors: 1, last_error: 'no such user' },
    ])
    const [first] = stats!.endpoints!
    expect(Number.isInteger(first!.processing_time)).toBe(true)
    expect(new Date(stats!.started).getTime()).toBeGreaterThan(Date.now() - 60_000)
  })

  it('of the official client are found, described and counted by ours', async () => {
    const theirs = await services.add({
      name: 'theirs',
      version: '2.0.0',
      description: 'Theirs',
      metadata: { a: 'b' },
    })
    theirs.addEndpoint('sum', {
      handler: (error, message) => {
        if (message.json() === 0) message.respondError(418, 'a teapot', 'details')
        else message.respond(JSON.stringify(42))
      },
      metadata: { unit: 'none' },
    })
    await client.flush()
    expect(await broker.request('sum', 1)).toBe(42)
    await expect(broker.request('sum', 0)).rejects.toMatchObject({
      code: 'REPLY_FAILED',
      details: { status: 418, reason: 'a teapot' },
    })
    const { id } = theirs.info()
    expect(await broker.services.ping({ name: 'theirs' })).toMatchObject([
      { name: 'theirs', id, version: '2.0.0', metadata: { a: 'b' } },
    ])
    expect(await broker.services.info({ name: 'theirs', id })).toMatchObject([
      {
        description: 'Theirs',
        endpoints: [{ name: 'sum', topic: 'sum', group: 'q', metadata: { unit: 'none' } }],
      },
    ])
    const [statistics] = await broker.services.statistics({ name: 'theirs' })
    expect(statistics!.endpoints).toMatchObject([{ name: 'sum', requests: 2 }])
    const [own] = (await theirs.stats()).endpoints!
    expect(statistics!.endpoints[0]!.processingMs).toBe(own!.processing_time / 1e6)
    await theirs.stop()
  })

  if (program === undefined) it.skip('SKIPPED: the nats command line is not here (NATS_COMMAND)')
  else {
    it('of ours are found, described and counted by the nats command line', async () => {
      await using ours = await openOurs()
      const nats = async (...words: string[]): Promise<string> => {
        const { stdout, stderr } = await run(
          program,
          ['--no-context', '--server', server.url, 'service', ...words],
          {
            env: { ...process.env, XDG_CONFIG_HOME: '/nonexistent', NO_COLOR: '1' },
            timeout: 15_000,
          },
        )
        return stdout + stderr
      }
      await broker.request('user.get', 1)
      const listed = await nats('ls')
      expect(listed).toContain('users')
      expect(listed).toContain('1.2.3')
      expect(listed).toContain(ours.id)
      const info = await nats('info', 'users', ours.id)
      expect(info).toContain('Accounts')
      expect(info).toContain('user.get')
      const stats = JSON.parse(await nats('stats', 'users', '--json')) as object
      expect(JSON.stringify(stats)).toContain('"num_requests":1')
      expect(await nats('ping', 'users')).toContain(ours.id)
    })
  }
})

async function gather<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of answers) all.push(one)
  return all
}
