// npm test: prepares, builds and runs the tests; arguments go to vitest. Its last line is always `N passed, N failed, N
// skipped`, for people and programs that read only that; a run that never reached its tests counts as one failure.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { giveUp, prepare, root } from './prepare.mjs'

const NOTHING_RAN = '0 passed, 1 failed, 0 skipped'

try {
  await prepare({ build: true })
} catch (error) {
  process.on('exit', () => console.log(NOTHING_RAN))
  giveUp(error)
}

const chosen = process.argv.slice(2)
const choosesReporter = chosen.some((argument) => argument.startsWith('--reporter'))
const reporters = [
  ...(choosesReporter ? [] : ['--reporter=default']),
  `--reporter=${join(root, 'scripts', 'closing-line-reporter.mjs')}`,
]
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...chosen, ...reporters],
  { cwd: root, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
)

let closingLine = NOTHING_RAN
vitest.on('message', (message) => {
  closingLine = message.closingLine ?? closingLine
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal))
// The reporter cannot know that it speaks last; after the runner has ended, this can.
vitest.on('close', (code, signal) => {
  console.log(closingLine)
  process.exitCode = signal === null ? code : 128 + constants.signals[signal]
})
