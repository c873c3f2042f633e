// The commands and what they share.
import { Command } from 'commander'
import { benchCommand } from './bench-command.js'
import { consumerCommand } from './consumer-command.js'
import { deadLetterCommand } from './dead-letter-command.js'
import { packageVersion } from './package-version.js'
import { publishCommand } from './publish-command.js'
import { replyCommand } from './reply-command.js'
import { requestCommand } from './request-command.js'
import { serveCommand } from './serve-command.js'
import { normalizeServerFlags } from './server-flags.js'
import { streamCommand } from './stream-command.js'
import { subscribeCommand } from './subscribe-command.js'
import { verifyCommand } from './verify-command.js'

export interface Program {
  parseAsync(args: readonly string[], from: { from: 'user' }): Promise<unknown>
}

export function buildProgram(): Program {
  const program = new Command('fanfare')
    .description('A publish-subscribe broker: run one, or talk to one (Fanfare or NATS).')
    .version(packageVersion(), '-v, --version')
    .showHelpAfterError('(fanfare help <command> says more)')
  const commands = [
    serveCommand(),
    publishCommand(),
    subscribeCommand(),
    requestCommand(),
    replyCommand(),
    streamCommand(),
    consumerCommand(),
    deadLetterCommand(),
    verifyCommand(),
    benchCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  return {
    parseAsync: (args, from) =>
      args[0] === 'serve'
        ? program.parseAsync(['serve', ...normalizeServerFlags(args.slice(1))], from)
        : program.parseAsync([...args], from),
  }
}
