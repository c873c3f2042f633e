// Runs the built command line as a user does: a process of its own, its output taken whole.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

export const program = fileURLToPath(new URL('../../dist/cli/fanfare.cjs', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCommand {
  readonly child: ChildProcess
  readonly outcome: Promise<Outcome>
  /** What it has printed so far, to both streams. */
  printed(): string
}

const BOUND_MS = 15_000

/** Starts a command that is ended after a bound, so that no failing test leaves one behind. */
export function start(args: readonly string[], input = '', directory?: string): RunningCommand {
  const environment = { ...process.env }
  delete environment.FANFARE_DIRECTORY
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...environment, ...(directory === undefined ? {} : { FANFARE_DIRECTORY: directory }) },
  })
  const bound = setTimeout(() => child.kill('SIGKILL'), BOUND_MS)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.end(input)
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(bound)
      resolve({ code, signal, stdout, stderr })
    })
  })
  return { child, outcome, printed: () => stdout + stderr }
}

/** A data directory that is made when a command makes it, and the commands on it. */
export class TestDirectory {
  readonly #parent = mkdtempSync(join(tmpdir(), 'fanfare-cli-'))
  readonly path = join(this.#parent, 'data')

  /** Runs a command that must succeed; what it printed to standard output. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await start(args, input, this.path).outcome
    expect(code, stderr).toBe(0)
    return stdout
  }

  /** Runs a command and reads its output as one JSON text. */
  async json<T = Record<string, unknown>>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run([...args, '--json'])) as T
  }

  /** Runs a command and reads each line of its output as JSON. */
  async jsonLines<T = Record<string, unknown>>(args: readonly string[]): Promise<T[]> {
    const text = await this.run([...args, '--json'])
    return text.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as T)))
  }

  /** Runs a command that must fail with code 1; what it said. */
  async fails(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await start(args, '', this.path).outcome
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    return stderr
  }

  remove(): void {
    rmSync(this.#parent, { recursive: true, force: true })
  }
}
