// The top level of a configuration: which key sets which option. Zero means "the default" in nats-server, so a zero that
// `ServerOptions` would take at its word is left out.
import type { ServerOptions } from '../../server/index.js'
import { readAuthorization } from './authorization-keys.js'
import { readJetStream, readStoreDirectory, type StorageDraft } from './jetstream-keys.js'
import type { OptionDraft } from './option-draft.js'
import { keyTable, type KeyTable } from './read-keys.js'
import type { Setting } from './syntax/index.js'
import { TypedSetting, type Range } from './typed-setting.js'
import { unsupportedKeys } from './unsupported-keys.js'

/** What concerns the process around the server. An absent file is not written. */
export interface ProcessOptions {
  readonly logFile?: string
  readonly debug?: boolean
  readonly trace?: boolean
  /** Whether log lines begin with the time; default true. */
  readonly logTime?: boolean
  readonly pidFile?: string
  readonly portsFileDirectory?: string
}

export interface ConfigurationDraft extends StorageDraft {
  readonly server: OptionDraft<ServerOptions>
  readonly process: OptionDraft<ProcessOptions>
}

type Read = (setting: Setting, draft: ConfigurationDraft) => void
type NamesOf<Options, Type> = {
  [Name in keyof Options]-?: NonNullable<Options[Name]> extends Type
    ? Type extends NonNullable<Options[Name]>
      ? Name
      : never
    : never
}[keyof Options]

/** nats-server keeps these two in 32 bits. */
const SIZE_32: Range = { least: 0, most: 2 ** 31 - 1 }
const SIZE_53: Range = { least: 0, most: Number.MAX_SAFE_INTEGER }
/** -1 says "no limit". */
const LIMIT: Range = { least: -1, most: Number.MAX_SAFE_INTEGER }
const ANY: Range = { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER }
const TOKENS: Range = { least: 1, most: 255 }
const SHORTEST_LAME_DUCK_MS = 30_000

export const serverKeys: KeyTable<ConfigurationDraft> = new Map<string, Read>([
  ...unsupportedKeys,
  ...keyTable<ConfigurationDraft>([
    [['listen'], readListen],
    [['host', 'net'], serverText('host')],
    [['port'], readPort('port')],
    [['http'], readHttp],
    [['http_port', 'monitor_port'], readPort('httpPort')],
    [['server_name'], readServerName],
    [['client_advertise'], serverText('clientAdvertise')],
    [
      ['authorization'],
      (setting, draft) =>
        draft.server.set('authorization', readAuthorization(setting, draft), setting),
    ],
    [['no_auth_user'], serverText('noAuthUser')],
    [['max_connections', 'max_conn'], readMaxConnections],
    [['max_subscriptions', 'max_subs'], limit('maxSubscriptions', LIMIT)],
    [['max_subscription_tokens', 'max_sub_tokens'], limit('maxSubscriptionTokens', TOKENS)],
    [['max_control_line'], count('maxControlLineBytes', SIZE_32)],
    [['max_payload'], count('maxPayloadBytes', SIZE_32)],
    [['max_pending'], count('maxPendingBytes', SIZE_53)],
    [['write_deadline'], durationOrSeconds('writeDeadlineMs')],
    [['ping_interval'], durationOrSeconds('pingIntervalMs')],
    [['ping_max'], count('maxPingsOutstanding', SIZE_53)],
    [['lame_duck_duration'], readLameDuckDuration],
    [
      ['lame_duck_grace_period'],
      (setting, draft) =>
        setDuration(
          'lameDuckGracePeriodMs',
          new TypedSetting(setting).durationMs(),
          setting,
          draft,
        ),
    ],
    [
      ['no_header_support'],
      (setting, draft) =>
        draft.server.set('headers', !new TypedSetting(setting).boolean(), setting),
    ],
    [['jetstream'], readJetStream],
    [['store_dir', 'storedir'], readStoreDirectory],
    [['debug'], processFlag('debug')],
    [['trace'], processFlag('trace')],
    [['logtime'], processFlag('logTime')],
    [['log_file', 'logfile'], processText('logFile')],
    [['pid_file', 'pidfile'], processText('pidFile')],
    [['ports_file_dir'], processText('portsFileDirectory')],
  ]),
])

function readListen(setting: Setting, { server }: ConfigurationDraft): void {
  const { host, port } = new TypedSetting(setting).address()
  if (host !== undefined) server.set('host', host, setting)
  if (port !== 0) server.set('port', port, setting)
}

function readHttp(setting: Setting, { server }: ConfigurationDraft): void {
  const { host, port } = new TypedSetting(setting).address()
  if (host !== undefined) server.set('httpHost', host, setting)
  if (port !== 0) server.set('httpPort', port, setting)
}

function readPort(name: 'port' | 'httpPort'): Read {
  return (setting, { server }) => {
    const port = new TypedSetting(setting).port()
    if (port !== 0) server.set(name, port, setting)
  }
}

function readServerName(setting: Setting, draft: ConfigurationDraft): void {
  const typed = new TypedSetting(setting)
  if (typed.string().includes(' ')) throw typed.mustBe('a name without spaces')
  serverText('serverName')(setting, draft)
}

function serverText(name: NamesOf<ServerOptions, string>): Read {
  return (setting, { server }) => {
    const text = new TypedSetting(setting).string()
    if (text !== '') server.set(name, text, setting)
  }
}

/** At 0 or less nats-server turns everybody away, while `ServerOptions` would let everybody in. */
function readMaxConnections(setting: Setting, { server }: ConfigurationDraft): void {
  const typed = new TypedSetting(setting)
  const maxConnections = typed.integer(ANY)
  if (maxConnections < 1) {
    throw typed.mustBe('at least 1, as turning every connection away is not supported yet')
  }
  server.set('maxConnections', maxConnections, setting)
}

function limit(name: NamesOf<ServerOptions, number>, range: Range): Read {
  return (setting, { server }) =>
    server.set(name, new TypedSetting(setting).integer(range), setting)
}

function count(name: NamesOf<ServerOptions, number>, range: Range): Read {
  return (setting, { server }) => {
    const number = new TypedSetting(setting).integer(range)
    if (number !== 0) server.set(name, number, setting)
  }
}

/** A duration in quotes; a plain number is seconds, which nats-server still takes. */
function durationOrSeconds(name: NamesOf<ServerOptions, number>): Read {
  return (setting, draft) => {
    const typed = new TypedSetting(setting)
    if (setting.content.kind !== 'integer') {
      return setDuration(name, typed.durationMs(), setting, draft)
    }
    const seconds = typed.integer({ least: 0, most: Math.floor(Number.MAX_SAFE_INTEGER / 1_000) })
    draft.warn(
      setting.place,
      `${setting.key} should be a duration in quotes; taken as ${seconds} seconds`,
    )
    setDuration(name, seconds * 1_000, setting, draft)
  }
}

function setDuration(
  name: NamesOf<ServerOptions, number>,
  durationMs: number,
  setting: Setting,
  { server }: ConfigurationDraft,
): void {
  if (durationMs === 0) return
  if (durationMs < 1) throw new TypedSetting(setting).mustBe('at least one millisecond')
  server.set(name, durationMs, setting)
}

function readLameDuckDuration(setting: Setting, draft: ConfigurationDraft): void {
  const typed = new TypedSetting(setting)
  const durationMs = typed.durationMs()
  if (durationMs < SHORTEST_LAME_DUCK_MS) throw typed.mustBe('at least 30 seconds')
  setDuration('lameDuckDurationMs', durationMs, setting, draft)
}

function processFlag(name: NamesOf<ProcessOptions, boolean>): Read {
  return (setting, draft) => draft.process.set(name, new TypedSetting(setting).boolean(), setting)
}

function processText(name: NamesOf<ProcessOptions, string>): Read {
  return (setting, draft) => {
    const text = new TypedSetting(setting).string()
    if (text !== '') draft.process.set(name, text, setting)
  }
}
