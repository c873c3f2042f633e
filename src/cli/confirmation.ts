// Asks before something is removed for good: on a terminal; elsewhere nothing is removed without --force.
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { FanfareError } from '../base/index.js'

export interface ForceFlag {
  readonly force?: boolean
}

export function withForceOption(command: Command): Command {
  return command.option('-f, --force', 'do not ask')
}

/** `what` is to be read as a question. False when the answer is no; throws OPTION_INVALID when there is nobody to ask. */
export async function confirm(what: string, { force }: ForceFlag): Promise<boolean> {
  if (force === true) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FanfareError('OPTION_INVALID', `${what}? There is nobody to ask: give --force`)
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${what}? (y/N) `)).trim())
  } finally {
    terminal.close()
  }
}
