// The monitoring endpoints under nats-server's names, with the fields that NATS tools read. Durations are Go's:
// nanoseconds as numbers, or text such as `1h2m3s`.
import { Hono } from 'hono'
import { FanfareError } from '../base/index.js'
import { findTopicFault, matchesPattern } from '../topic/index.js'
import type { ClientSubscription } from './client-subscription.js'
import { describeSubscription, listConnections } from './connection-list.js'
import { formatUptime, toNanoseconds } from './go-duration.js'
import { readCount, readFlag } from './query-parameters.js'
import { PROTOCOL_VERSION } from './server-identity.js'
import type { Server } from './server.js'

const DEFAULT_LIMIT = 1_024
const NONE_OF_EACH = { clients: 0, routes: 0, gateways: 0, leafs: 0 }

/** The HTTP application; the caller listens. */
export function monitoringApplication(server: Server): Hono {
  const application = new Hono()
  const requests: Record<string, number> = {}
  application.use(async (context, next) => {
    const { path } = context.req
    requests[path] = (requests[path] ?? 0) + 1
    await next()
    context.res.headers.set('Access-Control-Allow-Origin', '*')
    context.res.headers.set('Cache-Control', 'no-store')
  })
  application.get('/', (context) => context.html(INDEX_PAGE))
  application.get('/varz', (context) => context.json(varz(server, requests)))
  application.get('/connz', (context) => context.json(listConnections(server, context.req.query())))
  application.get('/subsz', (context) => context.json(subsz(server, context.req.query())))
  // Clusters, leaf nodes, accounts and streams do not exist here: tools that ask are told so.
  for (const [name, body] of Object.entries(ABSENT)) {
    application.get(name, (context) =>
      context.json({
        server_id: server.id,
        now: new Date(server.clock.nowMs()).toISOString(),
        ...body,
      }),
    )
  }
  application.get('/healthz', (context) =>
    server.isHealthy
      ? context.json({ status: 'ok' })
      : context.json({ status: 'unavailable', error: 'server is shutting down' }, 503),
  )
  application.onError((error, context) => {
    const isOurs = FanfareError.is(error) && error.code === 'OPTION_INVALID'
    return context.text(error.message, isOurs ? 400 : 500)
  })
  return application
}

const ABSENT: Readonly<Record<string, object>> = {
  '/routez': { num_routes: 0, routes: [] },
  '/gatewayz': { outbound_gateways: {}, inbound_gateways: {} },
  '/leafz': { leafnodes: 0, leafs: [] },
  '/accountz': { system_account: '', accounts: ['$G'] },
  '/jsz': {
    disabled: true,
    memory: 0,
    storage: 0,
    streams: 0,
    consumers: 0,
    messages: 0,
    bytes: 0,
  },
}

const INDEX_PAGE = `<!doctype html><html lang="en"><title>Fanfare</title><h1>Fanfare</h1><ul>
${['varz', 'connz', 'subsz', 'healthz'].map((name) => `<li><a href="./${name}">/${name}</a>`).join('\n')}
</ul></html>`

function varz(server: Server, requests: Record<string, number>): object {
  const { options, limits, statistics, clock } = server
  const totals = statistics.totals(server.sessions.values())
  const nowMs = clock.nowMs()
  const start = new Date(statistics.startedAtMs).toISOString()
  return {
    server_id: server.id,
    server_name: server.name,
    version: PROTOCOL_VERSION,
    proto: 1,
    go: `node${process.versions.node}`,
    host: options.host,
    port: server.port,
    ...(server.authenticator.isRequired ? { auth_required: true } : {}),
    max_connections: options.maxConnections,
    ...(limits.maxSubscriptions > 0 ? { max_subscriptions: limits.maxSubscriptions } : {}),
    ping_interval: toNanoseconds(limits.pingIntervalMs),
    ping_max: limits.maxPingsOutstanding,
    http_host: options.httpHost,
    http_port: server.httpPort ?? 0,
    http_base_path: '',
    https_port: 0,
    auth_timeout: options.authenticationTimeoutMs / 1_000,
    max_control_line: limits.maxControlLineBytes,
    max_payload: limits.maxPayloadBytes,
    max_pending: limits.maxPendingBytes,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: {},
    jetstream: {},
    tls_timeout: 2,
    write_deadline: toNanoseconds(limits.writeDeadlineMs),
    start,
    now: new Date(nowMs).toISOString(),
    uptime: formatUptime(nowMs - statistics.startedAtMs),
    mem: process.memoryUsage.rss(),
    cores: server.processors,
    gomaxprocs: 1,
    cpu: server.processorPercent(),
    connections: server.sessions.size,
    total_connections: statistics.totalConnections,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: totals.inMessages,
    in_bytes: totals.inBytes,
    out_msgs: totals.outMessages,
    out_bytes: totals.outBytes,
    slow_consumers: statistics.slowConsumers,
    stale_connections: statistics.staleConnections,
    subscriptions: countSubscriptions(server),
    http_req_stats: requests,
    config_load_time: start,
    slow_consumer_stats: { ...NONE_OF_EACH, clients: statistics.slowConsumers },
    stale_connection_stats: { ...NONE_OF_EACH, clients: statistics.staleConnections },
  }
}

function subsz(server: Server, query: Record<string, string>): object {
  const offset = readCount(query, 'offset', 0)
  const limit = readCount(query, 'limit', DEFAULT_LIMIT) || DEFAULT_LIMIT
  const { test } = query
  if (test !== undefined && findTopicFault(test) !== undefined) {
    throw new FanfareError('OPTION_INVALID', `invalid test subject, must not be a pattern: ${test}`)
  }
  const wantsList = readFlag(query, 'subs')
  const matching: ClientSubscription[] = []
  if (wantsList || test !== undefined) {
    for (const session of server.sessions.values()) {
      for (const subscription of session.subscriptions.values()) {
        if (test === undefined || matchesPattern(subscription.subject, test)) {
          matching.push(subscription)
        }
      }
    }
  }
  const total = countSubscriptions(server)
  return {
    server_id: server.id,
    now: new Date(server.clock.nowMs()).toISOString(),
    num_subscriptions: total,
    num_cache: server.engine.statistics.cachedTopics,
    num_inserts: server.statistics.subscribed,
    num_removes: server.statistics.subscribed - total,
    num_matches: server.statistics.totals(server.sessions.values()).inMessages,
    cache_hit_rate: 0,
    max_fanout: 0,
    avg_fanout: 0,
    total: wantsList ? matching.length : total,
    offset,
    limit,
    ...(wantsList
      ? { subscriptions_list: matching.slice(offset, offset + limit).map(describeSubscription) }
      : {}),
  }
}

function countSubscriptions(server: Server): number {
  let count = 0
  for (const session of server.sessions.values()) count += session.subscriptions.size
  return count
}
