// `fanfare serve --signal reload=1234`: tells a running server something by its process id, as `nats-server -sl` does.
import { FanfareError } from '../base/index.js'
import { readTextFile } from './files.js'

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = {
  stop: 'SIGKILL',
  quit: 'SIGINT',
  term: 'SIGTERM',
  reload: 'SIGHUP',
  reopen: 'SIGUSR1',
  ldm: 'SIGUSR2',
}

/** `order` is a command, then `=` and a process id or a pid file; without it `pidFile` says which process. */
export function sendSignal(order: string, pidFile: string | undefined): void {
  const [name = '', target = pidFile] = order.split('=', 2)
  const signal = SIGNALS[name]
  if (signal === undefined) {
    throw new FanfareError(
      'OPTION_INVALID',
      `unknown signal ${name}; one of ${Object.keys(SIGNALS).join(', ')}`,
    )
  }
  if (target === undefined) {
    throw new FanfareError('OPTION_INVALID', `say which server: --signal ${name}=PID or --pid FILE`)
  }
  const pid = Number(/^\d+$/.test(target) ? target : readTextFile(target).trim())
  if (!Number.isInteger(pid) || pid <= 0) {
    throw new FanfareError('OPTION_INVALID', `${target} holds no process id`)
  }
  try {
    process.kill(pid, signal)
  } catch (error) {
    throw new FanfareError('CONNECTION_FAILED', `no process ${pid} to signal`, { cause: error })
  }
}
