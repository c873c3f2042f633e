// The server's log in nats-server's format, which launchers and log shippers know:
//
//   [9492] 2026/11/24 11:49:28.767714 [INF] Server is ready
import { systemClock } from '../base/index.js'
import type { LogLevel } from '../server/index.js'
import { appendToFile } from './files.js'

const LABELS = { debug: 'DBG', info: 'INF', warn: 'WRN', error: 'ERR' } as const

export interface ServerLogOptions {
  readonly debug: boolean
  /** Whether lines carry the time; default true. */
  readonly showTime: boolean
  /** Undefined: standard error. */
  readonly file: string | undefined
}

export type ServerLog = (level: LogLevel, text: string) => void

export function createServerLog(options: ServerLogOptions): ServerLog {
  return (level, text) => {
    if (level === 'debug' && !options.debug) return
    const time = options.showTime ? `${formatTime(systemClock.nowMs())} ` : ''
    const line = `[${process.pid}] ${time}[${LABELS[level]}] ${text}\n`
    if (options.file === undefined) process.stderr.write(line)
    else appendToFile(options.file, line)
  }
}

function formatTime(ms: number): string {
  const time = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())}`
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}000`
}
