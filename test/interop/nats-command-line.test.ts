// The `nats` command line, the tool that operators have at hand, run as a program against each server.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { withinBound } from './clients.js'
import { describeEachServer, findProgram, launch, type RunningServer } from './server-under-test.js'

const program = process.env.NATS_COMMAND ?? findProgram('nats')
const boundMs = 15_000

/** A run of the command line, kept so that a test can wait for what it prints. */
class Run {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #watchers = new Set<() => void>()
  #printed = ''
  #exitCode: number | undefined

  constructor(arguments_: readonly string[], input: string) {
    this.#child = spawn(program!, arguments_, {
      stdio: 'pipe',
      // No context of the user running the tests may leak in.
      env: { ...process.env, XDG_CONFIG_HOME: '/nonexistent', NATS_URL: '', NO_COLOR: '1' },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#printed += text
        for (const look of [...this.#watchers]) look()
      })
    }
    this.#child.on('close', (code) => {
      this.#exitCode = code ?? -1
      for (const look of [...this.#watchers]) look()
    })
    this.#child.stdin.end(input)
  }

  get printed(): string {
    return this.#printed
  }

  async prints(text: string | RegExp): Promise<void> {
    const isPrinted = () =>
      typeof text === 'string' ? this.#printed.includes(text) : text.test(this.#printed)
    await this.#until(() => isPrinted() || this.#exitCode !== undefined, `'${text}'`)
    if (!isPrinted()) throw new Error(`ended without printing '${text}': ${this.#printed}`)
  }

  async ends(): Promise<{ code: number; printed: string }> {
    await this.#until(() => this.#exitCode !== undefined, 'the end')
    return { code: this.#exitCode!, printed: this.#printed }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ends()
  }

  #until(isMet: () => boolean, what: string): Promise<void> {
    let look = () => undefined as void
    const met = new Promise<void>((resolve) => {
      look = () => {
        if (isMet()) resolve()
      }
      this.#watchers.add(look)
      look()
    })
    return withinBound(
      met,
      boundMs,
      () => `${what} did not come after: ${this.#printed}\n`,
    ).finally(() => this.#watchers.delete(look))
  }
}

describeEachServer('nats command line', (kind) => {
  if (program === undefined) {
    it.skip(
      'SKIPPED: the nats command line is not here. Install it (https://github.com/nats-io/natscli/releases, or ' +
        '`go install github.com/nats-io/natscli/nats@latest`) on the PATH, or name it in NATS_COMMAND',
    )
    return
  }

  let open: RunningServer
  let guarded: RunningServer
  const runs: Run[] = []
  const start = (server: RunningServer, arguments_: readonly string[], input = '') => {
    const run = new Run(['--no-context', '--server', server.url, ...arguments_], input)
    runs.push(run)
    return run
  }
  const nats = (...arguments_: string[]) => start(open, arguments_).ends()
  /** A subscriber prints that it subscribes before the server has heard of it, so the server is asked. */
  const subscribed = async (subject: string, count = 1) => {
    await expect
      .poll(
        async () => {
          const response = await fetch(`${open.monitorUrl}/subsz?subs=1&test=${subject}`)
          return ((await response.json()) as { total: number }).total
        },
        { timeout: boundMs },
      )
      .toBe(count)
  }

  beforeAll(async () => {
    open = await launch(kind)
    guarded = await launch(kind, {
      configuration: 'authorization { users: [ { user: alice, password: secret } ] }',
    })
  })
  afterEach(async () => {
    await Promise.all(runs.splice(0).map((run) => run.kill()))
  })
  afterAll(() => Promise.all([open?.stop(), guarded?.stop()]))

  describe('pub and sub', () => {
    it('publishes a body and ends', async () => {
      const { code, printed } = await nats('pub', 'greet', 'hello')
      expect(printed).toMatch(/Published 5 bytes to "greet"/)
      expect(code).toBe(0)
    })

    it('subscribes until a number of messages have come', async () => {
      const subscriber = start(open, ['sub', 'counted.>', '--count', '3'])
      await subscribed('counted.x')
      for (const body of ['one', 'two', 'three']) await nats('pub', `counted.${body}`, body)
      const { code, printed } = await subscriber.ends()
      expect(code).toBe(0)
      for (const body of ['one', 'two', 'three']) {
        expect(printed).toContain(`Received on "counted.${body}"`)
        expect(printed).toContain(body)
      }
    })

    it('publishes what it reads from stdin', async () => {
      const subscriber = start(open, ['sub', 'from.stdin', '--count', '1', '--raw'])
      await subscribed('from.stdin')
      await start(open, ['pub', 'from.stdin', '--force-stdin'], 'read from a pipe').ends()
      expect((await subscriber.ends()).printed).toContain('read from a pipe')
    })

    it('publishes many with a counter in the body', async () => {
      const subscriber = start(open, ['sub', 'counter', '--count', '20', '--raw'])
      await subscribed('counter')
      await nats('pub', 'counter', 'number {{ Count }}', '--count', '20')
      const { printed } = await subscriber.ends()
      for (const index of [1, 10, 20]) expect(printed).toContain(`number ${index}\n`)
    })

    it('carries headers', async () => {
      const subscriber = start(open, ['sub', 'headed', '--count', '1'])
      await subscribed('headed')
      await nats('pub', 'headed', 'body', '-H', 'Colour:red', '-H', 'Colour:green', '-H', 'x-y:z')
      const { printed } = await subscriber.ends()
      expect(printed).toMatch(/Colour: red/)
      expect(printed).toMatch(/Colour: green/)
      expect(printed).toMatch(/x-y: z/i)
      expect(printed).toContain('body')
    })

    it('shares messages between the members of a queue', async () => {
      const members = [1, 2].map(() => start(open, ['sub', 'shared', '--queue', 'group', '--raw']))
      await subscribed('shared', 2)
      await nats('pub', 'shared', 'job {{ Count }};', '--count', '100')
      const jobs = () => members.map((run) => run.printed.match(/job \d+;/g) ?? [])
      await expect.poll(() => jobs().flat().length, { timeout: boundMs }).toBe(100)
      expect(new Set(jobs().flat()).size).toBe(100)
      for (const share of jobs()) expect(share.length).toBeGreaterThan(10)
    })
  })

  describe('request and reply', () => {
    it('answers a request with an echo', async () => {
      start(open, ['reply', 'echo.me', '--echo'])
      await subscribed('echo.me')
      const { code, printed } = await nats('req', 'echo.me', 'is there anybody', '--raw')
      expect(printed).toContain('is there anybody')
      expect(code).toBe(0)
    })

    it('answers a request with a fixed text', async () => {
      start(open, ['reply', 'fixed', 'the answer'])
      await subscribed('fixed')
      expect((await nats('req', 'fixed', 'question', '--raw')).printed).toContain('the answer')
    })

    it('collects several replies', async () => {
      start(open, ['reply', 'poll', 'yes', '--queue', 'one'])
      start(open, ['reply', 'poll', 'no', '--queue', 'two'])
      await subscribed('poll', 2)
      const { printed } = await nats('req', 'poll', 'well?', '--replies', '2', '--raw')
      expect(printed).toContain('yes')
      expect(printed).toContain('no')
    })

    it('says that there are no responders', async () => {
      expect((await nats('req', 'nobody', 'hello')).printed).toMatch(/no responders/i)
    })
  })

  it('measures the round trip', async () => {
    const { code, printed } = await nats('rtt', '3')
    expect(printed).toMatch(/\d+(?:\.\d+)?(?:ns|µs|ms)/)
    expect(code).toBe(0)
  })

  it('checks the connection', async () => {
    const { code, printed } = await nats('server', 'check', 'connection')
    expect(printed).toMatch(/^OK Connection OK/m)
    expect(printed).toMatch(/rtt time/)
    expect(printed).toMatch(/round trip took/)
    expect(code).toBe(0)
  })

  it('benchmarks publishing and subscribing', async () => {
    const flags = ['--msgs', '20000', '--size', '64', '--no-progress']
    const subscriber = start(open, ['bench', 'sub', 'measured', '--clients', '2', ...flags])
    await subscribed('measured', 2)
    const publisher = await nats('bench', 'pub', 'measured', '--clients', '1', ...flags)
    expect(publisher.printed).toMatch(/msgs\/sec/)
    expect(publisher.code).toBe(0)
    const { code, printed } = await subscriber.ends()
    expect(printed).toMatch(/msgs\/sec/)
    expect(code).toBe(0)
  })

  it('benchmarks requests', async () => {
    const flags = ['--msgs', '500', '--size', '16', '--no-progress']
    start(open, ['bench', 'service', 'serve', 'asked', '--size', '16', '--no-progress'])
    await subscribed('asked')
    const { code, printed } = await nats('bench', 'service', 'request', 'asked', ...flags)
    expect(printed).toMatch(/msgs\/sec/)
    expect(code).toBe(0)
  })

  describe('credentials', () => {
    it('connects with user and password', async () => {
      const run = start(guarded, ['--user', 'alice', '--password', 'secret', 'pub', 'a', 'b'])
      const { code, printed } = await run.ends()
      expect(printed).toMatch(/Published 1 bytes/)
      expect(code).toBe(0)
    })

    it('connects with user and password in the address', async () => {
      const url = guarded.url.replace('//', '//alice:secret@')
      const run = new Run(['--no-context', '--server', url, 'pub', 'a', 'b'], '')
      runs.push(run)
      expect((await run.ends()).code).toBe(0)
    })

    it.each([[['--user', 'alice', '--password', 'wrong']], [[]]])(
      'is refused with %j',
      async (credentials) => {
        const { code, printed } = await start(guarded, [...credentials, 'pub', 'a', 'b']).ends()
        expect(printed).toMatch(/Authorization Violation/i)
        expect(code).not.toBe(0)
      },
    )
  })
})
