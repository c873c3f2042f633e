// The flags of `fanfare serve` are those of nats-server. Go programs take a flag with one dash or two and its value behind
// a space or `=`; here every spelling becomes the one long form that the command-line library is told of.

/** Flags by every spelling (without dashes). Those that end in `!` take no value. */
const SPELLINGS: Readonly<Record<string, string>> = {
  a: 'addr',
  addr: 'addr',
  net: 'addr',
  p: 'port',
  port: 'port',
  n: 'name',
  name: 'name',
  server_name: 'name',
  m: 'http_port',
  http_port: 'http_port',
  c: 'config',
  config: 'config',
  t: 'check!',
  js: 'jetstream!',
  jetstream: 'jetstream!',
  sd: 'store_dir',
  store_dir: 'store_dir',
  P: 'pid',
  pid: 'pid',
  ports_file_dir: 'ports_file_dir',
  l: 'log',
  log: 'log',
  T: 'logtime!',
  logtime: 'logtime!',
  D: 'debug!',
  debug: 'debug!',
  V: 'trace!',
  trace: 'trace!',
  DV: 'debug_and_trace!',
  user: 'user',
  pass: 'pass',
  auth: 'auth',
  client_advertise: 'client_advertise',
  max_connections: 'max_connections',
  max_payload: 'max_payload',
  sl: 'signal',
  signal: 'signal',
  h: 'help!',
  help: 'help!',
  v: 'version!',
  version: 'version!',
}

/** Rewrites each known flag to `--name` or `--name=value`; leaves everything else as it is. */
export function normalizeServerFlags(args: readonly string[]): string[] {
  const normalized: string[] = []
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    const match = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(argument)
    const name = match === null ? undefined : SPELLINGS[match[1]!.replaceAll('-', '_')]
    if (match === null || name === undefined) {
      normalized.push(argument)
      continue
    }
    const takesValue = !name.endsWith('!')
    const long = `--${name.replace('!', '')}`
    if (!takesValue) {
      // -js=false, as Go has it.
      if (!/^(false|f|0)$/i.test(match[2] ?? '')) normalized.push(long)
    } else if (match[2] !== undefined) normalized.push(`${long}=${match[2]}`)
    else if (i + 1 < args.length) normalized.push(`${long}=${args[++i]!}`)
    else normalized.push(long)
  }
  return normalized
}
