// What docs/envelope.md and docs/requests.md show is run as it stands there.
import { afterEach, describe, expect, it } from 'vitest'
import {
  findBlocks,
  readRunnableBlocks,
  startProgram,
  type RunningCommand,
} from './runnable-blocks.js'

const commands: RunningCommand[] = []

afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.stop()))
})

const pages = {
  'docs/envelope.md': {
    codecs: 'application/vnd.msgpack { raw: Uint8Array(3) [ 1, 2, 3 ] }\ntext/plain all is well\n',
    compression: 'true true gzip\n',
    flow: 'checkout-7 order-1\n',
    'ambient flow': 'order-1\n',
  },
  'docs/requests.md': {
    'failed answer': 'Ada\nREPLY_FAILED 404 { id: 8 }\n',
    'several answers': '0.2\n0.7\n',
    service: '{ id: 7, version: 2 }\nusers user.get 0\nusers v2.get 1\n',
  },
} as const

describe.each(Object.entries(pages))('%s', (file, blocks) => {
  it.each(Object.entries(blocks))('prints what the text says: %s', async (name, printed) => {
    const command = startProgram(findBlocks(file, name, 1)[0]!.text)
    commands.push(command)
    expect(await command.outcome).toEqual({ stdout: printed, stderr: '', exitCode: 0 })
  })

  it('has no runnable block that is not run', () => {
    expect(readRunnableBlocks(file).map(({ name }) => name)).toEqual(Object.keys(blocks))
  })
})
