// Holds our reading against the real thing: `nats-server -t` must accept and refuse the same files. Where we differ on
// purpose the table says why, and a difference that has gone away fails.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FanfareError } from '../../../src/base/index.js'
import { readConfiguration } from '../../../src/cli/configuration/index.js'

const isPresent = spawnSync('nats-server', ['--version']).status === 0
if (!isPresent) console.warn('SKIPPED: no nats-server on the PATH to compare configurations with')

const folder = mkdtempSync(join(tmpdir(), 'fanfare-configuration-'))
afterAll(() => rmSync(folder, { recursive: true }))

const environment = {
  ...process.env,
  FANFARE_PORT: '4333',
  FANFARE_NAME: '"a b"',
  FANFARE_NONE: '',
}

function natsServerAccepts(path: string): boolean {
  return spawnSync('nats-server', ['-t', '-c', path], { env: environment }).status === 0
}

function weAccept(path: string): boolean {
  try {
    // With -t, nats-server refuses what it would only warn of.
    const { warnings } = readConfiguration({
      path,
      environment,
      readFile: (file) => readFileSync(file, 'utf8'),
    })
    return warnings.every(
      ({ message }) => !/should be a duration|seconds; was|is empty$/.test(message),
    )
  } catch (error) {
    if (FanfareError.is(error) && error.code === 'CONFIG_INVALID') return false
    throw error
  }
}

const users = (inside: string): string => `authorization { users: [ { user: a, ${inside} } ] }`

const AGREED = [
  ...[
    '',
    '# nothing\n',
    'port',
    'port: 4222',
    'port 4222',
    'port = 4222',
    'port=4222',
    'PORT: 4222',
  ],
  ...[
    'port: "4222"',
    'port: abc',
    'port: 4_222',
    'port: 42.5',
    'port: -1',
    'port\n4222',
    'port:\n4222',
  ],
  ...[
    'port: 4222 # c',
    'port: 4222 // c',
    'port: 4222; host: a',
    'port: 4222, host: a',
    'port: 1 host: a',
  ],
  ...[
    'port: 4222\r\nhost: a\r\n',
    '{"port": 4222, "host": "a"}',
    '{\n"port": 4222\n}\n',
    '{port: 4222',
  ],
  ...['port: 1\nport: 2', 'listen: 4222', 'listen: a:4222', 'listen: "[::1]:4222"', 'listen: a'],
  ...[
    'listen: "a:b"',
    'listen: ":4222"',
    'listen: ::1:4222',
    'listen: true',
    'host: 1',
    'host: 127.0.0.1',
  ],
  ...['http: 8222', 'http: "localhost:8222"', 'http: x', 'http_port: 8222', 'monitor_port: "x"'],
  ...[
    'server_name: a',
    'server_name: "a b"',
    `server_name: 'a'`,
    'server_name: "a\\tb"',
    'server_name: yes',
  ],
  ...[
    'server_name: "\\u0041"',
    'server_name: "\\x41"',
    'server_name: "\\x4"',
    `server_name: 'a\\b'`,
  ],
  ...['server_name: "abc', `server_name: 'abc`, 'server_name: a]b', 'server_name: #a'],
  ...[
    'server_name: (\nfoo\n)\n',
    'server_name: (\nfoo)\n',
    'server_name: (foo',
    'server_name: 10s',
  ],
  ...[
    'server_name: 1.2.3',
    'server_name: 1kk',
    'server_name: -a',
    'server_name: .a',
    'server_name: 12-3',
  ],
  ...[
    'max_payload: 1K',
    'max_payload: 1KB',
    'max_payload: 1kib',
    'max_payload: 1kbb',
    'max_payload: 1kk',
  ],
  ...[
    'max_payload: 3G',
    'max_payload: 1.5M',
    'max_payload: 99999999999999999999',
    'max_payload: 1b',
  ],
  ...['max_control_line: 4K', 'max_control_line: 3G', 'max_pending: 64MB', 'max_pending: "64MB"'],
  ...['max_conn: 100', 'max_connections: many', 'max_subs: 5', 'max_subs: x', 'max_subs: -1'],
  ...[
    'max_sub_tokens: 16',
    'max_sub_tokens: 0',
    'max_sub_tokens: 256',
    'max_subscription_tokens: -1',
  ],
  ...['write_deadline: "2s"', 'write_deadline: 2', 'write_deadline: "2"', 'write_deadline: 2s'],
  ...[
    'write_deadline: "1h2m3.5s"',
    'write_deadline: "1 s"',
    'write_deadline: "1d"',
    'write_deadline: ".5s"',
  ],
  ...['ping_interval: "0"', 'ping_interval: "5"', 'ping_interval: true', 'ping_interval: 1.5'],
  ...['ping_max: 3', 'ping_max: "3"', 'lame_duck_duration: "30s"', 'lame_duck_duration: "29s"'],
  ...['lame_duck_duration: 30', 'lame_duck_grace_period: "5s"', 'lame_duck_grace_period: "-5s"'],
  ...['no_header_support: true', 'no_header_support: 1', 'debug: on', 'debug: "on"', 'trace: OFF'],
  ...[
    'logtime: yes',
    'logfile: a.log',
    'log_file: 5',
    'pidfile: a',
    'pid_file: [a]',
    'ports_file_dir: /',
  ],
  ...['foo: 1', 'foo: 1\nport: $foo', 'port: $foo', 'port: $FANFARE_PORT', 'host: $FANFARE_NAME'],
  ...[
    'port: $FANFARE_NAME',
    'server_name: $FANFARE_NONE',
    'A: 1\nport: $a',
    'port: "$FANFARE_PORT"',
  ],
  ...['a { b: 1, port: $b }', 'a: {b: 1}\nport: $b', 'a: [x\n]\nserver_tags: $a', 'port: $port'],
  ...['include "limits.inc"', 'include limits.inc', `include 'limits.inc'`, 'include "gone.inc"'],
  ...['include "limits.inc"\nport: $INCLUDED', 'include [a]', 'include: 1', 'include "broken.inc"'],
  ...[
    'authorization { include who.inc }',
    'authorization { include who.inc, timeout: 1 }',
    'INCLUDE who.inc',
  ],
  ...[
    'authorization { user: a, password: b }',
    'authorization {user: a, pass: 1}',
    'authorization: a',
  ],
  ...[
    'authorization{ user: a }',
    'authorization\n{ user: a }',
    'authorization { user = a; pass = b }',
  ],
  ...[
    'authorization { user: a pass: b }',
    'authorization { token: t }',
    'authorization { token: t, user: a }',
  ],
  ...[
    'authorization { timeout: "1s" }',
    'authorization { timeout: 1.5 }',
    'authorization { timeout: x }',
  ],
  ...[
    'authorization { timeout: 1m }',
    'authorization { timeout: true }',
    'authorization { usr: a }',
  ],
  ...['authorization { usr: a, user: $usr }', 'authorization { token: t, users: [{user: a}] }'],
  ...[
    'authorization { user: t, users: [{user: a}] }',
    'authorization { users: [{user: a}, {user: a}] }',
  ],
  ...['authorization { users: [] }', 'authorization { users: {} }', 'authorization { users: [a] }'],
  ...['authorization { users: [{pass: a}] }', 'authorization { users: [{user: a}\n{user: b}] }'],
  ...['authorization { users: [{user: a} {user: b}] }', 'authorization { users: [{user: a},] }'],
  ...[
    'authorization { users: [{user: a, foo: 1}] }',
    'authorization { default_permissions: {publish: a} }',
  ],
  ...[users('pass: $2a$11$abc'), users('pass: $3a$abc'), users('permissions: { pub: "a b" }')],
  ...[users('permissions: { sub: "a b" }'), users('permissions: { sub: "a b c" }')],
  ...[users('permissions: { sub: "a " }'), users('permissions: { sub: " a  b " }')],
  ...[users('permissions: { publish: { allow: [a, b], deny: ">" } }'), users('permissions: [a]')],
  ...[users('permissions: { publish: { allowed: a } }'), users('permissions: { publish: a..b }')],
  ...[users('permissions: { publish: 5 }'), users('permissions: { publish: [5.5] }')],
  ...[users('permissions: { import: a, export: b }'), users('permissions: { foo: b }')],
  ...[
    users('permissions: { allow_responses: true }'),
    users('permissions: { allow_responses: 5 }'),
  ],
  ...[users('permissions: { allow_responses: { max: 5, expires: "1m" } }')],
  ...[users('permissions: { allow_responses: { max: "5" } }')],
  ...[
    users('permissions: { allow_responses: { expires: 5 } }'),
    users('permissions: { publish: > }'),
  ],
  ...[
    'jetstream: true',
    'jetstream { store_dir: "x" }',
    'cluster { name: c }',
    'system_account: A',
  ],
  ...['server_tags: ["a", "b"]', 'mqtt {}', 'max_traced_msg_len: 5', 'syslog: true'],
]

const STRICTER: readonly [text: string, why: string][] = [
  ['tls {}', 'not supported yet'],
  ['accounts { A { users: [{user: a, password: b}] } }', 'not supported yet'],
  [
    'authorization { users: [{user: a, allowed_connection_types: [STANDARD]}] }',
    'not supported yet',
  ],
  ['port: 99999', 'fails at the start instead'],
  ['max_payload: 100M', 'fails at the start instead'],
  ['no_auth_user: nobody', 'fails at the start instead'],
  ['lame_duck_grace_period: "3m"', 'fails at the start instead'],
  ['max_payload: -1', 'refuses every message'],
  ['max_conn: 0', 'lets nobody connect there'],
  ['max_conn: -1', 'lets nobody connect there'],
  ['authorization { timeout: -3, token: t }', 'lets nobody connect'],
  ['authorization { token: "" }', 'lets everybody connect'],
  ['authorization { password: b }', 'lets everybody connect in Fanfare'],
  ['listen: 4222\nport: 4333', 'either counts, at random'],
  ['server_name:', 'a value was forgotten'],
  ['port: 4222}', 'a brace too many'],
  ['{port: 4222\n', 'a brace was forgotten'],
  ['max_pending: 10e', 'wraps around to a negative number'],
]

const MORE_LENIENT: readonly [text: string, why: string][] = [
  [
    'authorization { users: [{user: a, pass: $2b$11$abc}] }',
    'bcrypt hashes of today, without quotes',
  ],
  [
    'numbers: [1, 2]\nserver_metadata: { a: $numbers }',
    'numbers before a closing bracket, as in JSON',
  ],
]

describe.skipIf(!isPresent)('agreement with nats-server', () => {
  const path = join(folder, 'server.conf')
  writeFileSync(join(folder, 'limits.inc'), 'INCLUDED: 4333\nmax_payload: $INCLUDED\n')
  writeFileSync(join(folder, 'who.inc'), 'user: a\npassword: b\n')
  writeFileSync(join(folder, 'broken.inc'), 'port: [')

  it.each(AGREED)('on %j', (text) => {
    writeFileSync(path, text)
    expect({ accepted: weAccept(path) }).toEqual({ accepted: natsServerAccepts(path) })
  })

  it.each(STRICTER)('is stricter on %j: %s', (text) => {
    writeFileSync(path, text)
    expect({ us: weAccept(path), natsServer: natsServerAccepts(path) }).toEqual({
      us: false,
      natsServer: true,
    })
  })

  it.each(MORE_LENIENT)('is more lenient on %j: %s', (text) => {
    writeFileSync(path, text)
    expect({ us: weAccept(path), natsServer: natsServerAccepts(path) }).toEqual({
      us: true,
      natsServer: false,
    })
  })
})
