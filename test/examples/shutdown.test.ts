// The shut-down recipes, with the real frameworks: a request that is under way at SIGTERM is answered, what it published is
// stored, what is being handled ends, and the process exits with 0.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openBroker } from '../../src/broker/index.js'
import { root } from '../docs/runnable-blocks.js'

const directory = mkdtempSync(join(tmpdir(), 'fanfare-shutdown-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each(['hono', 'fastify', 'express'])('the app of %s', { timeout: 60_000 }, (name) => {
  it('finishes what is under way at SIGTERM', async () => {
    const data = join(directory, name)
    const app = startApp(join(root, 'examples', 'shutdown', `${name}.mjs`), data)
    const [, port] = await app.printed(/listening on (\d+)/)
    const place = async (id: number): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${port}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ id }),
      })
      return response.json()
    }
    expect(await place(1)).toEqual({ sequence: 1 })
    const second = place(2)
    await app.printed(/placing 2/)
    app.terminate()

    expect(await second).toEqual({ sequence: 2 })
    expect(await app.exitCode).toBe(0)
    expect(app.errors()).toBe('')
    const begun = [...app.output().matchAll(/billing (\d)/g)].map(([, id]) => id)
    const ended = [...app.output().matchAll(/billed (\d)/g)].map(([, id]) => id)
    expect(begun).toContain('1')
    expect(ended).toEqual(begun)

    const broker = await openBroker({ directory: data })
    const stored: unknown[] = []
    for await (const message of (await broker.stream('orders')).read()) stored.push(message.data)
    expect(stored).toEqual([{ id: 1 }, { id: 2 }])
    await broker.close()
  })
})

function startApp(program: string, data: string) {
  const child = spawn(process.execPath, [program], {
    cwd: root,
    env: { ...process.env, PORT: '0', DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  return {
    exitCode: once(child, 'close').then(([code]) => code as number | null),
    output: () => output,
    errors: () => errors,
    terminate: () => child.kill('SIGTERM'),
    async printed(pattern: RegExp): Promise<RegExpExecArray> {
      await expect.poll(() => output + errors, { timeout: 30_000 }).toMatch(pattern)
      return pattern.exec(output)!
    },
  }
}
