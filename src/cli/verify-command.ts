// `fanfare verify`: reads everything that a data directory holds, changes nothing, and says what is damaged. Exit code 1 when
// something is.
import { join } from 'node:path'
import { Command } from 'commander'
import { FanfareError } from '../base/index.js'
import { lockDirectory, openSystemDisk } from '../base/disk/index.js'
import { ROOT_FILE, verifyStore, type RecoveryFinding } from '../log/index.js'
import { withJsonOption } from './directory-options.js'
import { isThere } from './files.js'
import { counted, print } from './output.js'

interface VerifyFlags {
  readonly json?: boolean
}

/** What an unclean stop leaves: nothing that had a receipt is concerned, and opening the directory tidies it up. */
const HARMLESS: ReadonlySet<RecoveryFinding['kind']> = new Set(['unclean-stop', 'torn-tail'])

/** What systems say of a place that may be read only. */
const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM'])

export function verifyCommand(): Command {
  return withJsonOption(new Command('verify'))
    .description('read everything in a data directory and print what is damaged; changes nothing')
    .argument('<directory>')
    .action(verify)
}

async function verify(directory: string, flags: VerifyFlags): Promise<void> {
  if (!isThere(join(directory, ROOT_FILE))) {
    throw new FanfareError('OPTION_INVALID', `${directory} is no data directory`, {
      details: { directory },
    })
  }
  const release = await keepOthersOut(directory)
  try {
    await printFindings(directory, flags)
  } finally {
    await release()
  }
}

async function printFindings(directory: string, flags: VerifyFlags): Promise<void> {
  let damaged = 0
  for await (const finding of verifyStore(await openSystemDisk(directory))) {
    if (!HARMLESS.has(finding.kind)) damaged += 1
    print(flags.json === true ? `${JSON.stringify(finding)}\n` : toText(finding))
  }
  if (damaged > 0) process.exitCode = 1
  if (flags.json === true) return
  const verdict = damaged === 0 ? 'Nothing is damaged' : `${counted(damaged, 'finding')} of damage`
  print(`${directory}: ${verdict}\n`)
}

function toText({
  kind,
  log,
  path,
  description,
  fromSequence,
  toSequence,
}: RecoveryFinding): string {
  const stream = log === undefined ? '' : ` of stream ${log}`
  const to = toSequence === undefined ? ' and later' : ` to ${toSequence}`
  const lost = fromSequence === undefined ? '' : ` Messages from ${fromSequence}${to} may be lost.`
  return `${kind}${stream}: ${path}: ${description}${lost}\n`
}

/** A broker at work would look like damage. Where no lock can be written no broker can work either. */
async function keepOthersOut(directory: string): Promise<() => Promise<void>> {
  try {
    const lock = await lockDirectory(directory)
    return () => lock.release()
  } catch (error) {
    const code = FanfareError.is(error) ? (error.cause as { code?: string } | undefined)?.code : ''
    if (!READ_ONLY.has(code ?? '')) throw error
    return async () => undefined
  }
}
