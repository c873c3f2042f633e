// /connz: the connections, open or ended, sorted, paged and filtered as nats-server does it.
import { FanfareError } from '../base/index.js'
import type { ClientSubscription } from './client-subscription.js'
import { formatSpan, formatUptime } from './go-duration.js'
import { readChoice, readCount, readFlag, type Query } from './query-parameters.js'
import type { EndedSession } from './server-statistics.js'
import type { Server } from './server.js'
import type { Session } from './session.js'

interface Row {
  readonly session: Session
  readonly ended: EndedSession | undefined
}

const DEFAULT_LIMIT = 1_024

/** What each `sort` compares; the largest first where `isDescending`. */
const ORDERS = {
  cid: { by: ({ session }: Row) => session.id, isDescending: false },
  start: { by: ({ session }: Row) => session.startedAtMs, isDescending: false },
  subs: { by: ({ session }: Row) => session.subscriptions.size, isDescending: true },
  pending: { by: ({ session }: Row) => session.pendingBytes, isDescending: true },
  msgs_to: { by: ({ session }: Row) => session.outMessages, isDescending: true },
  msgs_from: { by: ({ session }: Row) => session.inMessages, isDescending: true },
  bytes_to: { by: ({ session }: Row) => session.outBytes, isDescending: true },
  bytes_from: { by: ({ session }: Row) => session.inBytes, isDescending: true },
  last: { by: ({ session }: Row) => session.lastActivityAtMs, isDescending: true },
  idle: { by: ({ session }: Row) => -session.lastActivityAtMs, isDescending: true },
  uptime: { by: ({ session }: Row) => -session.startedAtMs, isDescending: true },
  rtt: { by: ({ session }: Row) => session.liveness.roundTripMs ?? 0, isDescending: true },
  stop: { by: ({ ended }: Row) => ended?.endedAtMs ?? 0, isDescending: true },
  reason: { by: ({ ended }: Row) => ended?.reason ?? '', isDescending: false },
} as const

type Order = keyof typeof ORDERS

/** Throws OPTION_INVALID for a parameter that does not parse. */
export function listConnections(server: Server, query: Query): object {
  const order = readChoice(query, 'sort', Object.keys(ORDERS) as Order[], 'cid')
  const state = readChoice(query, 'state', ['open', 'closed', 'any', 'all'], 'open')
  const offset = readCount(query, 'offset', 0)
  const limit = readCount(query, 'limit', DEFAULT_LIMIT) || DEFAULT_LIMIT
  const detail = readSubscriptionDetail(query)
  const rows = [
    ...(state === 'closed' ? [] : [...server.sessions.values()].map(toOpenRow)),
    ...(state === 'open' ? [] : server.statistics.ended.map(toEndedRow)),
  ].filter((row) => isWanted(row, query))
  const page = sortRows(rows, order).slice(offset, offset + limit)
  const nowMs = server.clock.nowMs()
  return {
    server_id: server.id,
    now: new Date(nowMs).toISOString(),
    num_connections: page.length,
    total: rows.length,
    offset,
    limit,
    connections: page.map((row) => describeRow(row, nowMs, detail, readFlag(query, 'auth'))),
  }
}

function readSubscriptionDetail(query: Query): 'none' | 'names' | 'detail' {
  if (query['subs'] === 'detail') return 'detail'
  return readFlag(query, 'subs') ? 'names' : 'none'
}

function toOpenRow(session: Session): Row {
  return { session, ended: undefined }
}

function toEndedRow(ended: EndedSession): Row {
  return { session: ended.session, ended }
}

function isWanted({ session }: Row, query: Query): boolean {
  if (query['cid'] !== undefined && session.id !== readCount(query, 'cid', 0)) return false
  return query['user'] === undefined || session.user === query['user']
}

function sortRows(rows: readonly Row[], order: Order): Row[] {
  const { by, isDescending } = ORDERS[order]
  if (order === 'stop' && rows.some(({ ended }) => ended === undefined)) {
    throw new FanfareError('OPTION_INVALID', 'sort=stop needs state=closed')
  }
  return [...rows].sort((left, right) => {
    const [a, b] = isDescending ? [by(right), by(left)] : [by(left), by(right)]
    return a < b ? -1 : a > b ? 1 : left.session.id - right.session.id
  })
}

function describeRow(
  { session, ended }: Row,
  nowMs: number,
  detail: 'none' | 'names' | 'detail',
  wantsUser: boolean,
): object {
  const untilMs = ended?.endedAtMs ?? nowMs
  const subscriptions = [...session.subscriptions.values()]
  return {
    cid: session.id,
    kind: 'Client',
    type: 'nats',
    ip: session.connection.remoteAddress,
    port: session.connection.remotePort,
    start: new Date(session.startedAtMs).toISOString(),
    last_activity: new Date(session.lastActivityAtMs).toISOString(),
    ...(ended === undefined
      ? {}
      : { stop: new Date(ended.endedAtMs).toISOString(), reason: ended.reason }),
    rtt: formatSpan(session.liveness.roundTripMs ?? 0),
    uptime: formatUptime(untilMs - session.startedAtMs),
    idle: formatUptime(untilMs - session.lastActivityAtMs),
    pending_bytes: ended === undefined ? session.pendingBytes : 0,
    in_msgs: session.inMessages,
    out_msgs: session.outMessages,
    in_bytes: session.inBytes,
    out_bytes: session.outBytes,
    subscriptions: session.subscriptions.size,
    ...(session.options.name === '' ? {} : { name: session.options.name }),
    ...(session.options.lang === '' ? {} : { lang: session.options.lang }),
    ...(session.options.version === '' ? {} : { version: session.options.version }),
    ...(wantsUser && session.user !== '' ? { authorized_user: session.user } : {}),
    ...(detail === 'names'
      ? { subscriptions_list: subscriptions.map(({ subject }) => subject) }
      : {}),
    ...(detail === 'detail'
      ? { subscriptions_list_detail: subscriptions.map(describeSubscription) }
      : {}),
  }
}

/** One entry of a list of subscriptions. */
export function describeSubscription(subscription: ClientSubscription): object {
  const { subject, queue, sid, delivered, maxMessages, session } = subscription
  return {
    account: '$G',
    subject,
    ...(queue === '' ? {} : { qgroup: queue }),
    sid,
    msgs: delivered,
    ...(Number.isFinite(maxMessages) ? { max: maxMessages } : {}),
    cid: session.id,
  }
}
