// Frames that break the NATS protocol, or stretch it, and what nats-server 2.15.2 answers to each, recorded from it byte
// for byte. The answers are the specification that Fanfare's server is held to. The first part of each entry is written
// by hand; `expected` is recorded (record-malformed-frames.ts says how).

/** The servers that the frames are sent to, by their configuration. */
export const frameServers = {
  default: '',
  'small limits': 'max_payload: 64, max_control_line: 256',
  authorization: 'authorization { user: alice, password: secret }',
  'no headers': 'no_header_support: true',
} as const

/** What is sent before the frame. */
export const openings = {
  none: '',
  plain: 'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n',
  verbose: 'CONNECT {"verbose":true,"pedantic":false,"headers":true}\r\n',
  pedantic: 'CONNECT {"verbose":false,"pedantic":true,"headers":true}\r\n',
  'pedantic and verbose': 'CONNECT {"verbose":true,"pedantic":true,"headers":true}\r\n',
  'no headers': 'CONNECT {"verbose":false,"pedantic":false,"headers":false}\r\n',
  'no responders':
    'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n',
} as const

/** Sent after each frame: its PONG says that everything before it was taken. */
export const ending = 'PING\r\n'

export interface FrameCase {
  readonly name: string
  /** 'default' when absent. */
  readonly server?: keyof typeof frameServers
  /** 'plain' when absent. */
  readonly connect?: keyof typeof openings
  /** One character is one byte; the ending comes after it. */
  readonly send: string
  readonly expected: FrameAnswer
}

export interface FrameAnswer {
  /** What the server sends after its first INFO; the text of further INFO is left out. */
  readonly answer: string
  /** Whether the server closes the connection. */
  readonly closed: boolean
}

export const frameCases: readonly FrameCase[] = [
  // PING and PONG.
  { name: 'PING alone', send: '', expected: { answer: 'PONG\r\n', closed: false } },
  {
    name: 'PING in lower case',
    send: 'ping\r\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING in mixed case',
    send: 'PiNg\r\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING with trailing spaces',
    send: 'PING   \r\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING with trailing junk',
    send: 'PING junk\r\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING with a tab before the line end',
    send: 'PING\t\r\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING without a space before junk',
    send: 'PINGjunk\r\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING ended by LF only',
    send: 'PING\n',
    expected: { answer: 'PONG\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PING ended by CR and two LF',
    send: 'PING\r\n\n',
    expected: { answer: "PONG\r\n-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PING with a space before it',
    send: ' PING\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PING misspelt',
    send: 'PINX\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PONG that nobody asked for',
    send: 'PONG\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  { name: 'PONG in lower case', send: 'pong\r\n', expected: { answer: 'PONG\r\n', closed: false } },
  {
    name: 'PONG with trailing junk',
    send: 'PONG junk\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PONG misspelt',
    send: 'POX\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PING before CONNECT',
    connect: 'none',
    send: '',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PING before CONNECT when credentials are required',
    server: 'authorization',
    connect: 'none',
    send: '',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'two hundred PONG at once',
    send: 'PONG\r\n'.repeat(200),
    expected: { answer: 'PONG\r\n', closed: false },
  },
  // Bytes that begin no operation.
  {
    name: 'an unknown verb',
    send: 'FOO bar\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an unknown verb before CONNECT',
    connect: 'none',
    send: 'FOO bar\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an unknown verb on a verbose connection',
    connect: 'verbose',
    send: 'FOO bar\r\n',
    expected: { answer: "+OK\r\n-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an empty line',
    send: '\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an empty line before CONNECT',
    connect: 'none',
    send: '\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a line with only LF',
    send: '\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a line with only spaces',
    send: '   \r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a NUL byte',
    send: '\x00\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'binary garbage',
    send: '\xff\xfe\x00\x01\x02\x80\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a verb in UTF-8',
    send: 'P\xc3\x9cB foo 0\r\n\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a TLS client hello',
    connect: 'none',
    send: '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03abcdefgh\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an HTTP GET',
    connect: 'none',
    send: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an HTTP POST',
    connect: 'none',
    send: 'POST / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an HTTP PUT',
    connect: 'none',
    send: 'PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an MQTT connect packet',
    connect: 'none',
    send: '\x10\x10\x00\x04MQTT\x04\x02\x00<\x00\x04test\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a server operation: RS+',
    send: 'RS+ $G foo\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a server operation: RMSG',
    send: 'RMSG $G foo 0\r\n\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a server operation: LMSG',
    send: 'LMSG foo 0\r\n\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an account operation: A+',
    send: 'A+ $G\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an account operation: A-',
    send: 'A- $G\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a leaf operation: LS+',
    send: 'LS+ foo\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  // Operations that only a server sends.
  {
    name: 'INFO from a client',
    send: 'INFO {"server_id":"x"}\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'INFO from a client before CONNECT',
    connect: 'none',
    send: 'INFO {}\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'INFO that is not JSON',
    send: 'INFO nonsense\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'MSG from a client',
    send: 'MSG foo 1 5\r\nhello\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'HMSG from a client',
    send: 'HMSG foo 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  { name: '+OK from a client', send: '+OK\r\n', expected: { answer: 'PONG\r\n', closed: false } },
  {
    name: '+OK with trailing junk from a client',
    send: '+OK junk\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'a plus and another verb',
    send: '+KO\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  { name: '-ERR from a client', send: "-ERR 'gone'\r\n", expected: { answer: '', closed: true } },
  {
    name: '-ERR without text from a client',
    send: '-ERR\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'a minus and another verb',
    send: '-WRONG\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  // CONNECT.
  {
    name: 'CONNECT twice',
    send: 'CONNECT {"verbose":false,"pedantic":false}\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'CONNECT a second time to become verbose',
    send: 'CONNECT {"verbose":true}\r\nPING\r\nSUB foo 1\r\n',
    expected: { answer: '+OK\r\nPONG\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with nothing in it',
    connect: 'none',
    send: 'CONNECT {}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with unknown fields',
    connect: 'none',
    send: 'CONNECT {"verbose":false,"pedantic":false,"colour":"red"}\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'CONNECT without an argument',
    connect: 'none',
    send: 'CONNECT\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with spaces for an argument',
    connect: 'none',
    send: 'CONNECT   \r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with an invalid JSON',
    connect: 'none',
    send: 'CONNECT {verbose}\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with an unfinished JSON',
    connect: 'none',
    send: 'CONNECT {"verbose":false\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a JSON array',
    connect: 'none',
    send: 'CONNECT []\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a JSON null',
    connect: 'none',
    send: 'CONNECT null\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with a JSON string',
    connect: 'none',
    send: 'CONNECT "verbose"\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a JSON number',
    connect: 'none',
    send: 'CONNECT 1\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with bytes after the JSON',
    connect: 'none',
    send: 'CONNECT {} junk\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a field of the wrong type',
    connect: 'none',
    send: 'CONNECT {"verbose":"yes"}\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a protocol of the wrong type',
    connect: 'none',
    send: 'CONNECT {"protocol":"1"}\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a fractional protocol',
    connect: 'none',
    send: 'CONNECT {"protocol":1.5}\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'CONNECT with a protocol of minus one',
    connect: 'none',
    send: 'CONNECT {"protocol":-1}\r\n',
    expected: { answer: "-ERR 'invalid client protocol'\r\n", closed: true },
  },
  {
    name: 'CONNECT with a protocol from the future',
    connect: 'none',
    send: 'CONNECT {"protocol":99}\r\n',
    expected: { answer: "-ERR 'invalid client protocol'\r\n", closed: true },
  },
  {
    name: 'CONNECT in lower case',
    connect: 'none',
    send: 'connect {}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with field names in upper case',
    connect: 'none',
    send: 'CONNECT {"VERBOSE":true}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with a tab before the JSON',
    connect: 'none',
    send: 'CONNECT\t{}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT without a space before the JSON',
    connect: 'none',
    send: 'CONNECT{}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT ended by LF only',
    connect: 'none',
    send: 'CONNECT {}\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT misspelt',
    connect: 'none',
    send: 'CONNECX {}\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'CONNECT cut short',
    connect: 'none',
    send: 'CON\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'CONNECT that asks for no_responders without headers',
    connect: 'none',
    send: 'CONNECT {"no_responders":true,"headers":false}\r\n',
    expected: { answer: "-ERR 'no responders requires headers support'\r\n", closed: true },
  },
  {
    name: 'CONNECT that names an account',
    connect: 'none',
    send: 'CONNECT {"account":"A"}\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'CONNECT with a null field',
    connect: 'none',
    send: 'CONNECT {"verbose":null}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT verbose',
    connect: 'none',
    send: 'CONNECT {"verbose":true}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT without credentials when they are required',
    server: 'authorization',
    connect: 'none',
    send: 'CONNECT {}\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'CONNECT with a wrong password',
    server: 'authorization',
    connect: 'none',
    send: 'CONNECT {"user":"alice","pass":"wrong"}\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'CONNECT with the right password',
    server: 'authorization',
    connect: 'none',
    send: 'CONNECT {"user":"alice","pass":"secret"}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with the right password, verbose',
    server: 'authorization',
    connect: 'none',
    send: 'CONNECT {"user":"alice","pass":"secret","verbose":true}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT again with a wrong password',
    server: 'authorization',
    connect: 'none',
    send: 'CONNECT {"user":"alice","pass":"secret"}\r\nPING\r\nCONNECT {"user":"alice","pass":"wrong"}\r\n',
    expected: { answer: "+OK\r\nPONG\r\n-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'PUB before CONNECT when credentials are required',
    server: 'authorization',
    connect: 'none',
    send: 'PUB foo 0\r\n\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'SUB before CONNECT when credentials are required',
    server: 'authorization',
    connect: 'none',
    send: 'SUB foo 1\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'INFO before CONNECT when credentials are required',
    server: 'authorization',
    connect: 'none',
    send: 'INFO {}\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'an unknown verb before CONNECT when credentials are required',
    server: 'authorization',
    connect: 'none',
    send: 'FOO\r\n',
    expected: { answer: "-ERR 'Authorization Violation'\r\n", closed: true },
  },
  {
    name: 'PUB and SUB before CONNECT',
    connect: 'none',
    send: 'SUB foo 1\r\nPUB foo 2\r\nhi\r\n',
    expected: { answer: '+OK\r\n+OK\r\nMSG foo 1 2\r\nhi\r\nPONG\r\n', closed: false },
  },
  // SUB.
  { name: 'SUB', send: 'SUB foo 1\r\n', expected: { answer: 'PONG\r\n', closed: false } },
  {
    name: 'SUB on a verbose connection',
    connect: 'verbose',
    send: 'SUB foo 1\r\n',
    expected: { answer: '+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with a queue',
    send: 'SUB foo workers 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB in lower case',
    send: 'sub foo 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB ended by LF only',
    send: 'SUB foo 1\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with extra spaces',
    send: 'SUB   foo    1   \r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with tabs',
    send: 'SUB\tfoo\t1\t\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with a CR between the arguments',
    send: 'SUB foo\r1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB without arguments',
    send: 'SUB\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'SUB with spaces for arguments',
    send: 'SUB   \r\n',
    expected: { answer: '', closed: true },
  },
  { name: 'SUB without a sid', send: 'SUB foo\r\n', expected: { answer: '', closed: true } },
  {
    name: 'SUB with four arguments',
    send: 'SUB foo workers 1 extra\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'SUB without a space after the verb',
    send: 'SUBfoo 1\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'SUB misspelt',
    send: 'SUX foo 1\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'SUB with a sid that is no number',
    send: 'SUB foo sid-A\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo sid-A 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with a negative sid',
    send: 'SUB foo -1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo -1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with the sid of another subscription',
    send: 'SUB foo 1\r\nSUB bar 1\r\nPUB bar 3\r\nbar\r\nPUB foo 3\r\nfoo\r\n',
    expected: { answer: 'MSG foo 1 3\r\nfoo\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB twice the same',
    send: 'SUB foo 1\r\nSUB foo 1\r\nPUB foo 3\r\nfoo\r\n',
    expected: { answer: 'MSG foo 1 3\r\nfoo\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB twice the same, verbose',
    connect: 'verbose',
    send: 'SUB foo 1\r\nSUB foo 1\r\n',
    expected: { answer: '+OK\r\n+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB to an empty token, plain',
    send: 'SUB foo..bar 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a leading dot, plain',
    send: 'SUB .foo 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a trailing dot, plain',
    send: 'SUB foo. 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to only a dot, plain',
    send: 'SUB . 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a full wildcard in the middle, plain',
    send: 'SUB foo.>.bar 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a full wildcard inside a token, plain',
    send: 'SUB foo>.bar 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB to a star inside a token, plain',
    send: 'SUB foo*.bar 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB to two full wildcards, plain',
    send: 'SUB >.> 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to wildcards, plain',
    send: 'SUB *.foo.> 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB to an empty token, pedantic',
    connect: 'pedantic',
    send: 'SUB foo..bar 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a leading dot, pedantic',
    connect: 'pedantic',
    send: 'SUB .foo 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a trailing dot, pedantic',
    connect: 'pedantic',
    send: 'SUB foo. 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to only a dot, pedantic',
    connect: 'pedantic',
    send: 'SUB . 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a full wildcard in the middle, pedantic',
    connect: 'pedantic',
    send: 'SUB foo.>.bar 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to a full wildcard inside a token, pedantic',
    connect: 'pedantic',
    send: 'SUB foo>.bar 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB to a star inside a token, pedantic',
    connect: 'pedantic',
    send: 'SUB foo*.bar 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB to two full wildcards, pedantic',
    connect: 'pedantic',
    send: 'SUB >.> 1\r\n',
    expected: { answer: "-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'SUB to wildcards, pedantic',
    connect: 'pedantic',
    send: 'SUB *.foo.> 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB to an empty token, verbose',
    connect: 'verbose',
    send: 'SUB foo..bar 1\r\n',
    expected: { answer: "+OK\r\n-ERR 'Invalid Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'a star inside a token is an ordinary character',
    send: 'SUB foo*.bar 1\r\nPUB foo*.bar 0\r\n\r\nPUB foox.bar 0\r\n\r\n',
    expected: { answer: 'MSG foo*.bar 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'a full wildcard inside a token is an ordinary character',
    send: 'SUB foo> 1\r\nPUB foo> 0\r\n\r\nPUB foox 0\r\n\r\n',
    expected: { answer: 'MSG foo> 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB to bytes that are no UTF-8',
    send: 'SUB \xff\xfe 1\r\nPUB \xff\xfe 0\r\n\r\n',
    expected: { answer: 'MSG \xff\xfe 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB to a NUL byte',
    send: 'SUB a\x00b 1\r\nPUB a\x00b 0\r\n\r\n',
    expected: { answer: 'MSG a\u0000b 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with a queue of empty tokens',
    send: 'SUB foo a..b 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with a queue of wildcards',
    send: 'SUB foo a.* 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB with a queue of wildcards, pedantic',
    connect: 'pedantic',
    send: 'SUB foo a.* 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'SUB to the system subjects',
    send: 'SUB $SYS.> 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  // UNSUB.
  {
    name: 'UNSUB',
    send: 'SUB foo 1\r\nUNSUB 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB in lower case',
    send: 'SUB foo 1\r\nunsub 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB ended by LF only',
    send: 'SUB foo 1\r\nUNSUB 1\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB verbose',
    connect: 'verbose',
    send: 'SUB foo 1\r\nUNSUB 1\r\n',
    expected: { answer: '+OK\r\n+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'UNSUB of an unknown sid',
    send: 'UNSUB 99\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB of an unknown sid, verbose',
    connect: 'verbose',
    send: 'UNSUB 99\r\n',
    expected: { answer: '+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'UNSUB of an unknown sid, pedantic',
    connect: 'pedantic',
    send: 'UNSUB 99\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB without arguments',
    send: 'UNSUB\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'UNSUB with spaces for arguments',
    send: 'UNSUB   \r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'UNSUB with three arguments',
    send: 'UNSUB 1 2 3\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'UNSUB with extra spaces and tabs',
    send: 'SUB foo 1\r\nUNSUB \t 1  \t \r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB after a maximum',
    send: 'SUB foo 1\r\nUNSUB 1 2\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\n',
    expected: { answer: 'MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n', closed: false },
  },
  {
    name: 'UNSUB after a maximum that is already reached',
    send: 'SUB foo 1\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nUNSUB 1 2\r\nPUB foo 1\r\nc\r\n',
    expected: { answer: 'MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n', closed: false },
  },
  {
    name: 'UNSUB with a maximum of zero',
    send: 'SUB foo 1\r\nUNSUB 1 0\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB with a negative maximum',
    send: 'SUB foo 1\r\nUNSUB 1 -1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB with a maximum that is no number',
    send: 'SUB foo 1\r\nUNSUB 1 many\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB with a huge maximum',
    send: 'SUB foo 1\r\nUNSUB 1 99999999999999999999\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB with a maximum and a plus',
    send: 'SUB foo 1\r\nUNSUB 1 +1\r\nPUB foo 0\r\n\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'UNSUB with a maximum and a leading zero',
    send: 'SUB foo 1\r\nUNSUB 1 01\r\nPUB foo 0\r\n\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'UNSUB misspelt',
    send: 'UNSUX 1\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  // PUB.
  {
    name: 'PUB',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a reply',
    send: 'SUB foo 1\r\nPUB foo inbox 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 inbox 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB in lower case',
    send: 'SUB foo 1\r\npub foo 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB in mixed case',
    send: 'SUB foo 1\r\npUb foo 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB verbose',
    connect: 'verbose',
    send: 'PUB foo 5\r\nhello\r\n',
    expected: { answer: '+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with its control line ended by LF only',
    send: 'SUB foo 1\r\nPUB foo 5\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with its payload ended by LF only',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB with extra spaces',
    send: 'SUB foo 1\r\nPUB   foo    5   \r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with tabs',
    send: 'SUB foo 1\r\nPUB\tfoo\t5\t\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB without arguments',
    send: 'PUB\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB with spaces for arguments',
    send: 'PUB   \r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB without a size',
    send: 'PUB foo\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with four arguments',
    send: 'PUB foo inbox extra 5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB without a space after the verb',
    send: 'PUBfoo 5\r\nhello\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB misspelt',
    send: 'PUX foo 5\r\nhello\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB with an empty payload',
    send: 'SUB foo 1\r\nPUB foo 0\r\n\r\n',
    expected: { answer: 'MSG foo 1 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a size of minus zero',
    send: 'SUB foo 1\r\nPUB foo -0\r\n\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a negative size',
    send: 'PUB foo -5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size that is no number',
    send: 'PUB foo five\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size that ends in a letter',
    send: 'PUB foo 5x\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a fractional size',
    send: 'PUB foo 5.0\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a hexadecimal size',
    send: 'PUB foo 0x5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size and a plus',
    send: 'SUB foo 1\r\nPUB foo +5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size and leading zeros',
    send: 'SUB foo 1\r\nPUB foo 00005\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 00005\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a size of nine digits',
    send: 'SUB foo 1\r\nPUB foo 000000005\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 000000005\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a size of ten digits',
    send: 'SUB foo 1\r\nPUB foo 0000000005\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size of twenty digits',
    send: 'PUB foo 99999999999999999999\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size of two to the 31st',
    send: 'PUB foo 2147483648\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a size of two to the 63rd',
    send: 'PUB foo 9223372036854775808\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with the size before the subject',
    send: 'PUB 5 foo\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'PUB with a payload longer than its size',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello world\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB with a payload one byte longer than its size',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello!\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB with a payload shorter than its size',
    send: 'SUB foo 1\r\nPUB foo 9\r\nhello\r\n\r\n\r\n',
    expected: { answer: 'MSG foo 1 9\r\nhello\r\n\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a payload that swallows the next operation',
    send: 'SUB foo 1\r\nPUB foo 11\r\nhello\r\nPING\r\n',
    expected: { answer: 'MSG foo 1 11\r\nhello\r\nPING\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a payload that lacks its line end',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhelloPING\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'PUB with a payload of CR and LF',
    send: 'SUB foo 1\r\nPUB foo 4\r\n\r\n\r\n\r\n',
    expected: { answer: 'MSG foo 1 4\r\n\r\n\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB to a star',
    send: 'SUB > 1\r\nPUB foo.* 5\r\nhello\r\n',
    expected: { answer: 'MSG foo.* 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB to a full wildcard',
    send: 'SUB > 1\r\nPUB foo.> 5\r\nhello\r\n',
    expected: { answer: 'MSG foo.> 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB to a star, pedantic',
    connect: 'pedantic',
    send: 'SUB > 1\r\nPUB foo.* 5\r\nhello\r\n',
    expected: {
      answer: "-ERR 'Invalid Publish Subject'\r\nMSG foo.* 1 5\r\nhello\r\nPONG\r\n",
      closed: false,
    },
  },
  {
    name: 'PUB to a full wildcard, pedantic',
    connect: 'pedantic',
    send: 'SUB > 1\r\nPUB foo.> 5\r\nhello\r\n',
    expected: {
      answer: "-ERR 'Invalid Publish Subject'\r\nMSG foo.> 1 5\r\nhello\r\nPONG\r\n",
      closed: false,
    },
  },
  {
    name: 'PUB to an empty token, pedantic',
    connect: 'pedantic',
    send: 'SUB > 1\r\nPUB foo..bar 5\r\nhello\r\n',
    expected: { answer: "-ERR 'Invalid Publish Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'PUB to a trailing dot, pedantic',
    connect: 'pedantic',
    send: 'SUB > 1\r\nPUB foo. 5\r\nhello\r\n',
    expected: { answer: "-ERR 'Invalid Publish Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'PUB to a star inside a token, pedantic',
    connect: 'pedantic',
    send: 'SUB > 1\r\nPUB foo* 5\r\nhello\r\n',
    expected: { answer: 'MSG foo* 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB to a star, pedantic and verbose',
    connect: 'pedantic and verbose',
    send: 'PUB foo.* 5\r\nhello\r\n',
    expected: { answer: "+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\nPONG\r\n", closed: false },
  },
  {
    name: 'PUB to an empty token',
    send: 'SUB > 1\r\nPUB foo..bar 5\r\nhello\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB to a leading dot',
    send: 'SUB > 1\r\nPUB .foo 5\r\nhello\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB to a trailing dot',
    send: 'SUB > 1\r\nPUB foo. 5\r\nhello\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB to only a dot',
    send: 'SUB > 1\r\nPUB . 5\r\nhello\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB with a wildcard in its reply',
    send: 'SUB foo 1\r\nPUB foo inbox.* 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 inbox.* 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a wildcard in its reply, pedantic',
    connect: 'pedantic',
    send: 'SUB foo 1\r\nPUB foo inbox.* 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 inbox.* 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with an empty token in its reply',
    send: 'SUB foo 1\r\nPUB foo in..box 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 in..box 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a reply of the reserved prefix',
    send: 'SUB foo 1\r\nPUB foo _R_.x 5\r\nhello\r\n',
    expected: {
      answer: '-ERR \'Permissions Violation for Publish with Reply of "_R_.x"\'\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'PUB with a reply of the acknowledgement prefix',
    send: 'SUB foo 1\r\nPUB foo $JS.ACK.x 5\r\nhello\r\n',
    expected: {
      answer: '-ERR \'Permissions Violation for Publish with Reply of "$JS.ACK.x"\'\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'PUB to the system subjects',
    send: 'PUB $SYS.foo 5\r\nhello\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB with a payload of the largest size',
    server: 'small limits',
    send: 'SUB foo 1\r\nPUB foo 64\r\n' + 'x'.repeat(64) + '\r\n',
    expected: {
      answer:
        'MSG foo 1 64\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'PUB with a payload over the largest size',
    server: 'small limits',
    send: 'PUB foo 65\r\n' + 'x'.repeat(65) + '\r\n',
    expected: { answer: "-ERR 'Maximum Payload Violation'\r\n", closed: true },
  },
  {
    name: 'PUB with a payload over the largest size, verbose',
    server: 'small limits',
    connect: 'verbose',
    send: 'PUB foo 65\r\n' + 'x'.repeat(65) + '\r\n',
    expected: { answer: "+OK\r\n-ERR 'Maximum Payload Violation'\r\n", closed: true },
  },
  {
    name: 'PUB that only announces a payload over the largest size',
    server: 'small limits',
    send: 'PUB foo 65\r\n',
    expected: { answer: "-ERR 'Maximum Payload Violation'\r\n", closed: true },
  },
  {
    name: 'PUB with a payload over the default largest size',
    send: 'PUB foo 1048577\r\nhello\r\n',
    expected: { answer: "-ERR 'Maximum Payload Violation'\r\n", closed: true },
  },
  {
    name: 'PUB with no responders asked for but no reply',
    connect: 'no responders',
    send: 'PUB nobody 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB with no responders asked for and a reply',
    connect: 'no responders',
    send: 'SUB inbox 7\r\nPUB nobody inbox 0\r\n\r\n',
    expected: {
      answer: 'HMSG inbox 7 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'PUB with no responders asked for, a reply and a subscriber',
    connect: 'no responders',
    send: 'SUB inbox 7\r\nSUB foo 8\r\nPUB foo inbox 0\r\n\r\n',
    expected: { answer: 'MSG foo 8 inbox 0\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB with a size that is no number, verbose',
    connect: 'verbose',
    send: 'PUB foo five\r\nhello\r\n',
    expected: { answer: '+OK\r\n', closed: true },
  },
  {
    name: 'PUB to an empty token, verbose',
    connect: 'verbose',
    send: 'PUB foo..bar 5\r\nhello\r\n',
    expected: { answer: '+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'PUB to a pattern that a literal subscription equals',
    send: 'SUB foo.* 1\r\nSUB foo.bar 2\r\nPUB foo.* 5\r\nhello\r\n',
    expected: { answer: 'MSG foo.* 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  // HPUB.
  {
    name: 'HPUB',
    send: 'SUB foo 1\r\nHPUB foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB with a reply',
    send: 'SUB foo 1\r\nHPUB foo inbox 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 inbox 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB in lower case',
    send: 'SUB foo 1\r\nhpub foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB with tabs and extra spaces',
    send: 'SUB foo 1\r\nHPUB\tfoo  18\t 23 \r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB verbose',
    connect: 'verbose',
    send: 'HPUB foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: { answer: '+OK\r\n+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'HPUB with headers and no body',
    send: 'SUB foo 1\r\nHPUB foo 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n',
    expected: { answer: 'HMSG foo 1 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\nPONG\r\n', closed: false },
  },
  {
    name: 'HPUB without arguments',
    send: 'HPUB\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  { name: 'HPUB without sizes', send: 'HPUB foo\r\n', expected: { answer: '', closed: true } },
  {
    name: 'HPUB with one size',
    send: 'HPUB foo 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with five arguments',
    send: 'HPUB foo inbox extra 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a header size over the total',
    send: 'HPUB foo 20 10\r\n0123456789\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a header size of zero',
    send: 'SUB foo 1\r\nHPUB foo 0 5\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'HPUB with a negative header size',
    send: 'HPUB foo -1 5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a negative total',
    send: 'HPUB foo 5 -1\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a header size that is no number',
    send: 'HPUB foo x 5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a total that is no number',
    send: 'HPUB foo 5 x\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a huge header size',
    send: 'HPUB foo 99999999999999999999 5\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a header size and leading zeros',
    send: 'SUB foo 1\r\nHPUB foo 0018 0023\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 0018 0023\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB with headers that are no headers',
    send: 'SUB foo 1\r\nHPUB foo 5 10\r\nhelloworld\r\n',
    expected: { answer: 'HMSG foo 1 5 10\r\nhelloworld\r\nPONG\r\n', closed: false },
  },
  {
    name: 'HPUB with headers of another version',
    send: 'SUB foo 1\r\nHPUB foo 12 17\r\nNATS/9.9\r\n\r\nhello\r\n',
    expected: { answer: 'HMSG foo 1 12 17\r\nNATS/9.9\r\n\r\nhello\r\nPONG\r\n', closed: false },
  },
  {
    name: 'HPUB with headers that lack the empty line',
    send: 'SUB foo 1\r\nHPUB foo 16 21\r\nNATS/1.0\r\nA: b\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 16 21\r\nNATS/1.0\r\nA: b\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB with a header line without a colon',
    send: 'SUB foo 1\r\nHPUB foo 17 22\r\nNATS/1.0\r\nabc\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 17 22\r\nNATS/1.0\r\nabc\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB with a status line',
    send: 'SUB foo 1\r\nHPUB foo 16 21\r\nNATS/1.0 503\r\n\r\nhello\r\n',
    expected: {
      answer: 'HMSG foo 1 16 21\r\nNATS/1.0 503\r\n\r\nhello\r\nPONG\r\n',
      closed: false,
    },
  },
  {
    name: 'HPUB on a connection that did not ask for headers',
    connect: 'no headers',
    send: 'HPUB foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB before CONNECT',
    connect: 'none',
    send: 'HPUB foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB to a server that has headers switched off',
    server: 'no headers',
    send: 'HPUB foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: { answer: '', closed: true },
  },
  {
    name: 'HPUB with a payload over the largest size',
    server: 'small limits',
    send: 'HPUB foo 18 65\r\nNATS/1.0\r\nA: b\r\n\r\n' + 'x'.repeat(47) + '\r\n',
    expected: { answer: "-ERR 'Maximum Payload Violation'\r\n", closed: true },
  },
  {
    name: 'HPUB with a payload longer than its total',
    send: 'SUB foo 1\r\nHPUB foo 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello world\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'HPUB to a wildcard, pedantic',
    connect: 'pedantic',
    send: 'HPUB foo.* 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nhello\r\n',
    expected: { answer: "-ERR 'Invalid Publish Subject'\r\nPONG\r\n", closed: false },
  },
  {
    name: 'HPUB misspelt',
    send: 'HPUX foo 1 1\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'an H and another verb',
    send: 'HELLO\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  // Control lines against max_control_line (256 on this server).
  {
    name: 'PUB with arguments of 255 bytes',
    server: 'small limits',
    send: 'PUB ' + 's'.repeat(253) + ' 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB with arguments of 256 bytes',
    server: 'small limits',
    send: 'PUB ' + 's'.repeat(254) + ' 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB with arguments of 257 bytes',
    server: 'small limits',
    send: 'PUB ' + 's'.repeat(255) + ' 0\r\n\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'PUB with arguments of 258 bytes',
    server: 'small limits',
    send: 'PUB ' + 's'.repeat(256) + ' 0\r\n\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'SUB with arguments of 256 bytes',
    server: 'small limits',
    send: 'SUB ' + 's'.repeat(254) + ' 1\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'SUB with arguments of 257 bytes',
    server: 'small limits',
    send: 'SUB ' + 's'.repeat(255) + ' 1\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'UNSUB with arguments of 257 bytes',
    server: 'small limits',
    send: 'UNSUB ' + '1'.repeat(257) + '\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'HPUB with arguments of 257 bytes',
    server: 'small limits',
    send: 'HPUB ' + 's'.repeat(251) + ' 12 12\r\nNATS/1.0\r\n\r\n\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'CONNECT with arguments of 256 bytes',
    server: 'small limits',
    connect: 'none',
    send: 'CONNECT {"name":"' + 'n'.repeat(245) + '"}\r\n',
    expected: { answer: '+OK\r\nPONG\r\n', closed: false },
  },
  {
    name: 'CONNECT with arguments of 257 bytes',
    server: 'small limits',
    connect: 'none',
    send: 'CONNECT {"name":"' + 'n'.repeat(246) + '"}\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'a control line over the largest length that never ends',
    server: 'small limits',
    send: 'SUB ' + 's'.repeat(600),
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'spaces count in a control line',
    server: 'small limits',
    send: 'PUB foo' + ' '.repeat(300) + '0\r\n\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  {
    name: 'leading spaces do not count in a control line',
    server: 'small limits',
    send: 'PUB' + ' '.repeat(301) + 'foo 0\r\n\r\n',
    expected: { answer: 'PONG\r\n', closed: false },
  },
  {
    name: 'PUB with a control line over the default largest length',
    send: 'PUB ' + 's'.repeat(4200) + ' 0\r\n\r\n',
    expected: { answer: "-ERR 'maximum control line exceeded'\r\n", closed: true },
  },
  // Several operations in one write.
  {
    name: 'an error ends what follows it in the same write',
    send: 'SUB foo 1\r\nBAD\r\nPUB foo 5\r\nhello\r\n',
    expected: { answer: "-ERR 'Unknown Protocol Operation'\r\n", closed: true },
  },
  {
    name: 'what came before an error in the same write is done',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello\r\nBAD\r\n',
    expected: {
      answer: "MSG foo 1 5\r\nhello\r\n-ERR 'Unknown Protocol Operation'\r\n",
      closed: true,
    },
  },
  {
    name: 'what came before a size that is no number is done',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello\r\nPUB foo five\r\nhello\r\n',
    expected: { answer: 'MSG foo 1 5\r\nhello\r\n', closed: true },
  },
  {
    name: 'what came before a payload over the largest size is done',
    server: 'small limits',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello\r\nPUB foo 65\r\n',
    expected: {
      answer: "MSG foo 1 5\r\nhello\r\n-ERR 'Maximum Payload Violation'\r\n",
      closed: true,
    },
  },
  {
    name: 'an invalid subject does not end what follows it',
    send: 'SUB foo..bar 1\r\nSUB foo 2\r\nPUB foo 5\r\nhello\r\n',
    expected: {
      answer: "-ERR 'Invalid Subject'\r\nMSG foo 2 5\r\nhello\r\nPONG\r\n",
      closed: false,
    },
  },
  {
    name: 'every operation is acknowledged on a verbose connection',
    connect: 'verbose',
    send: 'SUB foo 1\r\nPUB foo 5\r\nhello\r\nUNSUB 1\r\nPING\r\nPONG\r\n',
    expected: {
      answer: '+OK\r\n+OK\r\n+OK\r\nMSG foo 1 5\r\nhello\r\n+OK\r\nPONG\r\nPONG\r\n',
      closed: false,
    },
  },
]
