// `fanfare serve -js -sd`: what clients publish to topics of its streams is on the disk, also when the process is killed.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBroker, textCodec, type Broker } from 'fanfare'
import { program, start, TestDirectory, type RunningCommand } from './command.js'
import { spawn } from 'node:child_process'

let data: TestDirectory
let serving: RunningCommand | undefined

beforeEach(async () => {
  data = new TestDirectory()
  await data.run(['stream', 'add', 'orders', 'order.>'])
})

afterEach(async () => {
  serving?.child.kill('SIGKILL')
  await serving?.outcome
  serving = undefined
  data.remove()
})

/** Serves the directory; resolves with the address for clients. */
async function serve(...flags: string[]): Promise<string> {
  serving = start(['serve', '-a', '127.0.0.1', '-p', '-1', ...flags])
  await expect.poll(() => serving!.printed(), { timeout: 10_000 }).toContain('Server is ready')
  const port = /Listening for client connections on [\d.]+:(\d+)/.exec(serving.printed())?.[1]
  return `nats://127.0.0.1:${port!}`
}

async function whileConnected(url: string, work: (broker: Broker) => Promise<void>): Promise<void> {
  const broker = await openBroker({ url, codec: textCodec, onEvent: () => undefined })
  try {
    await work(broker)
  } finally {
    await broker.close()
  }
}

/** Whether some file of the directory holds the text. */
function isOnDisk(text: string): boolean {
  const names = readdirSync(data.path, { recursive: true, encoding: 'utf8' })
  return names.some((name) => {
    try {
      return readFileSync(join(data.path, name)).includes(text)
    } catch {
      // A directory, or a file that has gone meanwhile.
      return false
    }
  })
}

const bodies = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `order number ${from + i};`)

async function publish(url: string, texts: readonly string[]): Promise<void> {
  await whileConnected(url, async (broker) => {
    for (const text of texts) broker.emit('order.placed', text)
    await broker.flush()
  })
}

const stored = async () =>
  (await data.run(['stream', 'read', 'orders', '--raw'])).trim().split('\n')

async function stop(signal: NodeJS.Signals) {
  serving!.child.kill(signal)
  return serving!.outcome
}

describe('a server on a directory', () => {
  it('stores what clients publish to topics of a stream, and closes cleanly', async () => {
    const url = await serve('-js', '-sd', data.path)
    await publish(url, bodies(1, 100))
    await whileConnected(url, async (broker) => {
      broker.emit('price.AAPL', 'live only')
      await broker.flush()
    })
    expect(await stop('SIGTERM')).toMatchObject({ code: 0 })
    expect(existsSync(join(data.path, 'fanfare.lock'))).toBe(false)
    expect(await stored()).toEqual(bodies(1, 100))
    const { stderr } = await start(['stream', 'ls'], '', data.path).outcome
    expect(stderr).toBe('')
  })

  it('takes its directory from the configuration', async () => {
    const configuration = join(data.path, '..', 'broker.conf')
    const text = `jetstream { store_dir: ${JSON.stringify(data.path)} }\n`
    await import('node:fs/promises').then(({ writeFile }) => writeFile(configuration, text))
    await publish(await serve('-c', configuration), bodies(1, 3))
    await stop('SIGTERM')
    expect(serving!.printed()).toContain('with 1 stream')
    expect(await stored()).toEqual(bodies(1, 3))
  })

  it('keeps others out, and says who it is', async () => {
    await serve('-js', '-sd', data.path)
    const said = await data.fails(['stream', 'ls'])
    expect(said).toContain('DIRECTORY_LOCKED')
    expect(said).toContain(`process ${serving!.child.pid!}`)
    const second = await start(['serve', '-a', '127.0.0.1', '-p', '-1', '-js', '-sd', data.path])
      .outcome
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('DIRECTORY_LOCKED')
  })

  it('announces nothing that is not there', async () => {
    const url = new URL(await serve('-js', '-sd', data.path))
    const { connect } = await import('node:net')
    const line = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname)
      socket.once('error', reject)
      socket.once('data', (bytes) => {
        socket.destroy()
        resolve(bytes.toString('utf8'))
      })
    })
    const information = JSON.parse(line.slice('INFO '.length)) as { jetstream?: boolean }
    expect(information.jetstream ?? false).toBe(false)
  })

  it('stores nothing without both -js and a directory', async () => {
    await publish(await serve('-js'), bodies(1, 1))
    expect(serving!.printed()).toContain('[WRN] there is no store directory')
    await stop('SIGTERM')
    await publish(await serve('-sd', data.path), bodies(1, 1))
    expect(serving!.printed()).toContain('[WRN] the store directory is not used without -js')
    await stop('SIGTERM')
    expect(await data.json(['stream', 'info', 'orders'])).toMatchObject({ messages: 0 })
  })
})

describe('a server that is killed', () => {
  it('has what reached the disk, in order, and goes on after it', async () => {
    let first = 1
    for (let round = 1; round <= 3; round++) {
      const last = round * 200
      await publish(await serve('-js', '-sd', data.path), bodies(first, last))
      await expect.poll(() => isOnDisk(bodies(last, last)[0]!), { timeout: 10_000 }).toBe(true)
      expect(await stop('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
      first = last + 1
    }
    expect(await stored()).toEqual(bodies(1, 600))
    const [next] = await data.jsonLines(['pub', 'order.placed', 'x', '--directory', data.path])
    expect(next).toMatchObject({ sequence: 601 })
  })

  it('has no gap when it is killed in the middle of publishing', async () => {
    const url = await serve('-js', '-sd', data.path)
    await whileConnected(url, async (broker) => {
      for (const text of bodies(1, 20_000)) broker.emit('order.placed', text)
      await expect.poll(() => isOnDisk('order number 50;'), { timeout: 10_000 }).toBe(true)
      await stop('SIGKILL')
    })
    const kept = await stored()
    expect(kept.length).toBeGreaterThanOrEqual(50)
    expect(kept).toEqual(bodies(1, kept.length))
  })
})

it.skipIf(process.platform !== 'linux')(
  'has a larger thread pool than Node would give it',
  async () => {
    const threads = async (entry: string): Promise<number> => {
      const environment = { ...process.env }
      delete environment.UV_THREADPOOL_SIZE
      const child = spawn(process.execPath, [entry, 'serve', '-a', '127.0.0.1', '-p', '-1'], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: environment,
      })
      let printed = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text))
      try {
        await expect.poll(() => printed, { timeout: 10_000 }).toContain('Server is ready')
        return readdirSync(`/proc/${child.pid!}/task`).length
      } finally {
        child.kill('SIGKILL')
      }
    }
    const withoutIt = await threads(program.replace(/fanfare\.cjs$/, 'main.js'))
    expect(await threads(program)).toBe(withoutIt + 12)
  },
)
