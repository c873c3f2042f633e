// The top-level keys that nats-server knows and Fanfare does not support yet (server/opts.go, processConfigFileLine).
// Those that restrict who may connect or do something are refused: a server without them would be open where its
// configuration says that it is not. The others only leave out a feature, and are warned of.
import { keyTable, refuse, type Warnings } from './read-keys.js'
import type { Setting } from './syntax/index.js'

const REFUSED = [
  ...['tls', 'proxies', 'accounts', 'default_sentinel'],
  ...['operator', 'operators', 'roots', 'root', 'root_operators', 'root_operator'],
  ...['trusted', 'trusted_keys', 'resolver', 'account_resolver', 'accounts_resolver'],
  ...['resolver_tls', 'resolver_preload', 'resolver_pinned_accounts'],
]

const IGNORED = [
  ...['trace_verbose', 'trace_headers', 'max_traced_msg_len', 'logtime_utc'],
  ...['logfile_size_limit', 'log_size_limit', 'logfile_max_num', 'log_max_num'],
  ...['syslog', 'remote_syslog', 'prof_port', 'prof_block_rate'],
  ...['https', 'https_port', 'http_base_path', 'proxy_protocol', 'allow_non_tls', 'ocsp_cache'],
  ...['mappings', 'maps', 'disable_sublist_cache', 'no_sublist_cache'],
  ...['cluster', 'gateway', 'leaf', 'leafnodes', 'websocket', 'ws', 'mqtt'],
  ...['default_js_domain'],
  ...['system_account', 'system', 'no_system_account', 'no_system', 'no_sys_acc'],
  ...['connect_error_reports', 'reconnect_error_reports', 'max_closed_clients'],
  ...['write_timeout', 'no_fast_producer_stall'],
  ...['server_tags', 'server_metadata', 'feature_flags'],
]

export const unsupportedKeys = keyTable<Warnings>([
  [REFUSED, refuse],
  [['ocsp'], refuseUnlessOff],
  [IGNORED, warnUnlessOff],
])

function refuseUnlessOff(setting: Setting): void {
  if (!isOff(setting)) refuse(setting)
}

function warnUnlessOff(setting: Setting, target: Warnings): void {
  if (isOff(setting)) return
  target.warn(setting.place, `${setting.key} is not supported yet and has no effect`)
}

/** What is switched off is not missed. */
function isOff({ content }: Setting): boolean {
  return content.kind === 'boolean' && !content.isTrue
}
