// What docs/testing.md shows is run as it stands there.
import { afterEach, expect, it } from 'vitest'
import { findBlocks, startProgram, type RunningCommand } from './runnable-blocks.js'

const commands: RunningCommand[] = []

afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.stop()))
})

it('prints what the text says', async () => {
  const command = startProgram(findBlocks('docs/testing.md', 'testing', 1)[0]!.text)
  commands.push(command)
  expect(await command.outcome).toEqual({
    exitCode: 0,
    stdout: 'paid at 2026-01-01T00:01:00.000Z\n2 messages are there\n',
    stderr: '',
  })
})
