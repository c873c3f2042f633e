// What docs/pitfalls.md shows is run as it stands there.
import { expect, it } from 'vitest'
import { findBlocks, startProgram } from './runnable-blocks.js'

it('ends the wait of a handler for itself', async () => {
  const [block] = findBlocks('docs/pitfalls.md', 'flush in a handler', 1)
  expect(await startProgram(block!.text).outcome).toEqual({
    exitCode: 0,
    stdout: "TIMEOUT [ 'tick' ]\n1 2 3\n",
    stderr: '',
  })
})
