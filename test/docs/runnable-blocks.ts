// The code blocks of a Markdown file that a test runs: those behind a comment `<!-- runnable: name -->`. What is printed in
// the documentation and what is tested are thereby the same text.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

export interface RunnableBlock {
  readonly name: string
  readonly language: string
  readonly text: string
}

const BLOCK = /^<!-- runnable: (.+?) -->\r?\n```(\w+)\r?\n([^]*?)^```\r?$/gm

/** The runnable blocks of a file, named from the repository's root. */
export function readRunnableBlocks(file: string): RunnableBlock[] {
  const markdown = readFileSync(join(root, file), 'utf8')
  return [...markdown.matchAll(BLOCK)].map(([, name = '', language = '', text = '']) => ({
    name,
    language,
    text,
  }))
}

/** All blocks of one name, of which there must be `count`. */
export function findBlocks(file: string, name: string, count: number): RunnableBlock[] {
  const found = readRunnableBlocks(file).filter((block) => block.name === name)
  if (found.length === count) return found
  throw new Error(`${file} has ${found.length} runnable blocks called ${name}, not ${count}`)
}

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCommand {
  readonly outcome: Promise<Outcome>
  /** What it has printed so far, to both streams. */
  printed(): string
  /** Ends the command with all that it started; resolves when it has ended. Idempotent. */
  stop(): Promise<Outcome>
}

export type Environment = Readonly<Record<string, string>>

/** Starts shell commands in the repository's root. */
export function startShell(script: string, environment: Environment = {}): RunningCommand {
  return start('sh', ['-c', script], environment)
}

/** Starts a module given as text, which may import this package by its name. */
export function startProgram(text: string, environment: Environment = {}): RunningCommand {
  return start(process.execPath, ['--input-type=module', '--eval', text], environment)
}

function start(
  command: string,
  commandArguments: readonly string[],
  environment: Environment,
): RunningCommand {
  const child = spawn(command, commandArguments, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: npx and npm have children that must end with them.
    detached: true,
  })
  let hasEnded = false
  const end = (): void => {
    if (child.pid === undefined || hasEnded) return
    try {
      process.kill(-child.pid, 'SIGTERM')
    } catch {
      // The group is gone already.
    }
  }
  process.once('exit', end)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => {
      hasEnded = true
      process.off('exit', end)
      resolve({ exitCode, stdout, stderr })
    })
  })
  return {
    outcome,
    printed: () => stdout + stderr,
    stop: () => {
      end()
      return outcome
    },
  }
}
