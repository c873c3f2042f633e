// One child process: started ahead of its time, given its order, listened to, killed by its handle.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { StringDecoder } from 'node:string_decoder'

export class CrashChild {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #errors = ''

  /** `heard` is called with each line of the child's report, also those that are read after its end. */
  constructor(program: string, heard: (line: string) => void) {
    this.#child = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
    const report = this.#child.stdio[3] as NodeJS.ReadableStream
    const decoder = new StringDecoder('utf8')
    let rest = ''
    report.on('data', (bytes: Buffer) => {
      const lines = (rest + decoder.write(bytes)).split('\n')
      rest = lines.pop()!
      for (const line of lines) heard(line)
    })
    this.#child.stderr!.on('data', (bytes: Buffer) => (this.#errors += bytes.toString()))
    this.#child.stdin!.on('error', () => {})
    this.#ended = Promise.all([once(this.#child, 'exit'), once(report, 'end')])
  }

  /** What it said in despair. */
  get errors(): string {
    return this.#errors
  }

  order(order: object): void {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`)
  }

  /** Resolves when it has ended and all that it reported was heard. A line cut by the kill promised nothing. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    await this.#ended
  }
}
