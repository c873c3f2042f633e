// What docs/definitions.md shows is run as it stands there.
import { afterEach, expect, it } from 'vitest'
import { findBlocks, startProgram, type RunningCommand } from './runnable-blocks.js'

const FILE = 'docs/definitions.md'
const commands: RunningCommand[] = []

afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.stop()))
})

it.each([
  ['definitions', 'AAPL 187.2\nMSFT 402.5\norder.placed { id: 1, total: 40 }\n42\n'],
  ['classes', 'hello Ann\nhello Bob\n'],
  ['types', 'joined in eu\nuser.joined eu.user.joined\nuser.left us.user.left\n'],
])('prints what the text says: %s', async (name, printed) => {
  const command = startProgram(findBlocks(FILE, name, 1)[0]!.text)
  commands.push(command)
  expect(await command.outcome).toEqual({ stdout: printed, stderr: '', exitCode: 0 })
})
