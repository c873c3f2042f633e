// What docs/filters.md shows is run as it stands there.
import { expect, it } from 'vitest'
import { findBlocks, startProgram } from './runnable-blocks.js'

it.each([
  ['live', ['large 2', 'many lines 1', 'many lines 2', 'urgent, from Europe 2']],
  ['read', ['2', '3']],
  ['consume', ['2', '3', '0 3', 'CONSUMER_DIFFERS']],
])('prints what the text says: %s', async (name, lines) => {
  const command = startProgram(findBlocks('docs/filters.md', name, 1)[0]!.text)
  const { stdout, stderr, exitCode } = await command.outcome
  const printed = stdout.trimEnd().split('\n')
  expect(name === 'live' ? printed.sort() : printed).toEqual(lines)
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
})
