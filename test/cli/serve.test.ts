// `fanfare serve` as a process: what goes wrong at the start ends it, and signals end it whenever they come.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

async function run(flags: readonly string[], onOutput?: (text: string, pid: number) => void) {
  const child = spawn(process.execPath, [program, 'serve', '-a', '127.0.0.1', '-p', '-1', ...flags])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
      onOutput?.(output, child.pid!)
    })
  }
  const bound = setTimeout(() => child.kill('SIGKILL'), 10_000)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(bound)
  return { output, code, signal }
}

it.each([
  ['-P', 'missing/x.pid'],
  ['--ports_file_dir', 'missing'],
])('ends with code 1 when it cannot write what %s asks for', async (flag, path) => {
  const directory = mkdtempSync(join(tmpdir(), 'fanfare-serve-'))
  try {
    const { output, code } = await run([flag, join(directory, path)])
    expect(code).toBe(1)
    expect(output).toContain('CONFIG_INVALID: cannot write')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

it.each(['SIGTERM', 'SIGINT'] as const)(
  'ends with code 0 on %s, also when it comes twice and right after the port is open',
  async (signal) => {
    let isSent = false
    const ended = await run([], (output, pid) => {
      if (isSent || !output.includes('Listening for client connections')) return
      isSent = true
      process.kill(pid, signal)
      process.kill(pid, signal)
    })
    expect(ended).toMatchObject({ code: 0, signal: null })
  },
)
