// The monitoring endpoints: the fields that `nats top`, `nats server` and the Prometheus exporter read, with their types.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientLibraries, type ClientConnection } from './clients.js'
import { describeEachServer, launch, type RunningServer } from './server-under-test.js'

type Json = Record<string, unknown>
type FieldType = 'number' | 'string' | 'object' | 'array' | 'time'

const varzFields: Readonly<Record<string, FieldType>> = {
  server_id: 'string',
  server_name: 'string',
  version: 'string',
  proto: 'number',
  go: 'string',
  host: 'string',
  port: 'number',
  max_connections: 'number',
  ping_interval: 'number',
  ping_max: 'number',
  http_host: 'string',
  http_port: 'number',
  http_base_path: 'string',
  https_port: 'number',
  auth_timeout: 'number',
  max_control_line: 'number',
  max_payload: 'number',
  max_pending: 'number',
  cluster: 'object',
  gateway: 'object',
  leaf: 'object',
  mqtt: 'object',
  websocket: 'object',
  jetstream: 'object',
  tls_timeout: 'number',
  write_deadline: 'number',
  start: 'time',
  now: 'time',
  uptime: 'string',
  mem: 'number',
  cores: 'number',
  gomaxprocs: 'number',
  cpu: 'number',
  connections: 'number',
  total_connections: 'number',
  routes: 'number',
  remotes: 'number',
  leafnodes: 'number',
  in_msgs: 'number',
  in_bytes: 'number',
  out_msgs: 'number',
  out_bytes: 'number',
  slow_consumers: 'number',
  subscriptions: 'number',
  http_req_stats: 'object',
  config_load_time: 'time',
  slow_consumer_stats: 'object',
}

const connzFields: Readonly<Record<string, FieldType>> = {
  server_id: 'string',
  now: 'time',
  num_connections: 'number',
  total: 'number',
  offset: 'number',
  limit: 'number',
  connections: 'array',
}

const connectionFields: Readonly<Record<string, FieldType>> = {
  cid: 'number',
  kind: 'string',
  type: 'string',
  ip: 'string',
  port: 'number',
  start: 'time',
  last_activity: 'time',
  rtt: 'string',
  uptime: 'string',
  idle: 'string',
  pending_bytes: 'number',
  in_msgs: 'number',
  out_msgs: 'number',
  in_bytes: 'number',
  out_bytes: 'number',
  subscriptions: 'number',
  name: 'string',
  lang: 'string',
  version: 'string',
}

const subszFields: Readonly<Record<string, FieldType>> = {
  server_id: 'string',
  now: 'time',
  num_subscriptions: 'number',
  num_cache: 'number',
  num_inserts: 'number',
  num_removes: 'number',
  num_matches: 'number',
  cache_hit_rate: 'number',
  max_fanout: 'number',
  avg_fanout: 'number',
  total: 'number',
  offset: 'number',
  limit: 'number',
}

function typesOf(json: Json, fields: Readonly<Record<string, FieldType>>): Json {
  return Object.fromEntries(
    Object.keys(fields).map((name) => [name, typeOf(json[name], fields[name]!)]),
  )
}

function typeOf(value: unknown, wanted: FieldType): string {
  if (Array.isArray(value)) return 'array'
  if (wanted === 'time' && typeof value === 'string' && !Number.isNaN(Date.parse(value))) {
    return /^\d{4}-\d\d-\d\dT/.test(value) ? 'time' : 'string'
  }
  return value === null ? 'null' : typeof value
}

describeEachServer('monitoring', (kind) => {
  let server: RunningServer
  let talker: ClientConnection
  let listener: ClientConnection

  const read = async (path: string): Promise<Json> => {
    const response = await fetch(`${server.monitorUrl}/${path}`)
    expect(response.headers.get('content-type')).toBe('application/json')
    return (await response.json()) as Json
  }
  const connections = async (query = ''): Promise<Json[]> =>
    (await read(`connz?${query}`)).connections as Json[]

  beforeAll(async () => {
    server = await launch(kind, { configuration: 'server_name: monitored' })
    const [library] = clientLibraries
    listener = await library!.connect({ servers: server.url, name: 'listener' })
    talker = await library!.connect({ servers: server.url, name: 'talker' })
    listener.subscribe('foo.bar', { callback: () => undefined })
    listener.subscribe('foo.*', { callback: () => undefined })
    listener.subscribe('jobs', { queue: 'workers', max: 500, callback: () => undefined })
    await listener.flush()
    for (let index = 0; index < 10; index += 1) talker.publish('foo.bar', '12345')
    await talker.flush()
    await listener.flush()
  })
  afterAll(async () => {
    await Promise.all([talker?.close(), listener?.close()])
    await server?.stop()
  })

  describe('/varz', () => {
    it('has the fields that tools read', async () => {
      expect(typesOf(await read('varz'), varzFields)).toEqual(varzFields)
    })

    it('tells name, ports, limits and counts', async () => {
      const varz = await read('varz')
      expect(varz).toMatchObject({
        server_name: 'monitored',
        proto: 1,
        host: '127.0.0.1',
        port: server.port,
        max_connections: 65_536,
        max_payload: 1_048_576,
        max_pending: 67_108_864,
        max_control_line: 4_096,
        ping_interval: 120_000_000_000, // nanoseconds
        ping_max: 2,
        write_deadline: 10_000_000_000, // nanoseconds
        connections: 2,
        total_connections: 2,
        in_msgs: 10,
        in_bytes: 50,
        out_msgs: 20,
        out_bytes: 100,
        slow_consumers: 0,
        routes: 0,
        leafnodes: 0,
      })
      expect(varz.version).toMatch(/^\d+\.\d+\.\d+/)
      expect(varz.uptime).toMatch(/^(?:\d+[ydhm])*\d+s$/)
      expect(varz.mem).toBeGreaterThan(1_000_000)
    })

    it('is the server that INFO names', async () => {
      const varz = await read('varz')
      expect(varz.server_id).toBe(talker.info!.server_id)
      expect(varz.version).toBe(talker.info!.version)
    })

    it('counts the requests to each endpoint', async () => {
      await read('subsz')
      const { http_req_stats: stats } = await read('varz')
      expect((stats as Json)['/varz']).toBeGreaterThan(0)
      expect((stats as Json)['/subsz']).toBeGreaterThan(0)
    })
  })

  describe('/connz', () => {
    it('has the fields that tools read', async () => {
      const connz = await read('connz')
      expect(typesOf(connz, connzFields)).toEqual(connzFields)
      for (const connection of connz.connections as Json[]) {
        expect(typesOf(connection, connectionFields)).toEqual(connectionFields)
      }
    })

    it('counts what went in and out of each connection', async () => {
      const byName = new Map((await connections()).map((each) => [each.name, each]))
      expect(byName.get('talker')).toMatchObject({
        kind: 'Client',
        type: 'nats',
        ip: '127.0.0.1',
        in_msgs: 10,
        in_bytes: 50,
        out_msgs: 0,
        out_bytes: 0,
        pending_bytes: 0,
        subscriptions: 0,
        lang: 'nats.js',
      })
      expect(byName.get('listener')).toMatchObject({
        in_msgs: 0,
        in_bytes: 0,
        out_msgs: 20,
        out_bytes: 100,
        subscriptions: 3,
      })
    })

    it('lists subscriptions only when asked', async () => {
      const [plain] = await connections('sort=subs')
      expect(plain).not.toHaveProperty('subscriptions_list')
      const [listed] = await connections('sort=subs&subs=1')
      expect((listed!.subscriptions_list as string[]).sort()).toEqual(['foo.*', 'foo.bar', 'jobs'])
    })

    it('lists subscriptions in detail', async () => {
      const [listed] = await connections('sort=subs&subs=detail')
      const details = listed!.subscriptions_list_detail as Json[]
      expect(details.map((each) => each.subject).sort()).toEqual(['foo.*', 'foo.bar', 'jobs'])
      expect(details.find((each) => each.subject === 'jobs')).toMatchObject({
        qgroup: 'workers',
        max: 500,
        msgs: 0,
        sid: expect.any(String) as string,
        cid: listed!.cid,
      })
      expect(details.find((each) => each.subject === 'foo.bar')).toMatchObject({ msgs: 10 })
    })

    it('pages by offset and limit', async () => {
      const all = (await connections()).map((each) => each.cid)
      const first = await read('connz?limit=1')
      expect(first).toMatchObject({ num_connections: 1, total: 2, offset: 0, limit: 1 })
      expect((first.connections as Json[]).map((each) => each.cid)).toEqual(all.slice(0, 1))
      const second = await read('connz?limit=1&offset=1')
      expect(second).toMatchObject({ num_connections: 1, total: 2, offset: 1, limit: 1 })
      expect((second.connections as Json[]).map((each) => each.cid)).toEqual(all.slice(1))
      const beyond = await read('connz?offset=5')
      expect(beyond).toMatchObject({ num_connections: 0, total: 2, offset: 5, connections: [] })
    })

    it.each([
      ['cid', ['listener', 'talker']],
      ['start', ['listener', 'talker']],
      ['subs', ['listener', 'talker']],
      ['msgs_to', ['listener', 'talker']],
      ['bytes_to', ['listener', 'talker']],
      ['msgs_from', ['talker', 'listener']],
      ['bytes_from', ['talker', 'listener']],
    ])('sorts by %s', async (sort, expected) => {
      expect((await connections(`sort=${sort}`)).map((each) => each.name)).toEqual(expected)
    })

    it.each(['pending', 'last', 'idle', 'rtt', 'uptime'])('accepts sorting by %s', async (sort) => {
      expect((await connections(`sort=${sort}`)).length).toBe(2)
    })

    it('finds one connection by its id', async () => {
      const [, wanted] = await connections()
      expect((await connections(`cid=${String(wanted!.cid)}`)).map((each) => each.name)).toEqual([
        wanted!.name,
      ])
    })

    it('keeps closed connections with the reason', async () => {
      const [library] = clientLibraries
      const passing = await library!.connect({ servers: server.url, name: 'passing' })
      await passing.close()
      await expect
        .poll(async () => (await connections('state=closed')).map((each) => each.name))
        .toContain('passing')
      const closed = (await connections('state=closed')).find((each) => each.name === 'passing')
      expect(closed).toMatchObject({ reason: 'Client Closed', stop: expect.any(String) as string })
    })

    it.each(['sort=nonsense', 'limit=many', 'offset=x'])('refuses %s', async (query) => {
      const response = await fetch(`${server.monitorUrl}/connz?${query}`)
      expect(response.status).toBe(400)
    })
  })

  describe('/subsz', () => {
    it('has the fields that tools read', async () => {
      expect(typesOf(await read('subsz'), subszFields)).toEqual(subszFields)
    })

    it('lists the subscriptions that a subject matches', async () => {
      const subsz = await read('subsz?subs=1&test=foo.bar')
      expect(subsz.total).toBe(2)
      const list = subsz.subscriptions_list as Json[]
      expect(list.map((each) => each.subject).sort()).toEqual(['foo.*', 'foo.bar'])
      for (const each of list) {
        expect(each).toMatchObject({
          sid: expect.any(String) as string,
          msgs: 10,
          cid: expect.any(Number) as number,
        })
      }
    })

    it('lists no subscription for a subject that none matches', async () => {
      expect(await read('subsz?subs=1&test=nobody.here')).toMatchObject({ total: 0 })
    })

    it('refuses a test subject that is a pattern', async () => {
      const response = await fetch(`${server.monitorUrl}/subsz?subs=1&test=foo.*`)
      expect(response.status).toBe(400)
    })
  })

  describe('/healthz', () => {
    it.each(['healthz', 'healthz?js-enabled-only=true', 'healthz?js-server-only=true'])(
      'says that the server is well at %s',
      async (path) => {
        const response = await fetch(`${server.monitorUrl}/${path}`)
        expect(response.status).toBe(200)
        expect(await response.json()).toEqual({ status: 'ok' })
      },
    )
  })

  it('answers what it does not know with 404', async () => {
    expect((await fetch(`${server.monitorUrl}/nonsense`)).status).toBe(404)
  })

  it.each(['varz', 'connz', 'subsz', 'routez', 'gatewayz', 'leafz', 'accountz', 'jsz'])(
    'lets a page from elsewhere read /%s',
    async (path) => {
      const response = await fetch(`${server.monitorUrl}/${path}`)
      expect(response.status).toBe(200)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(await response.json()).toHaveProperty('server_id')
    },
  )
})
