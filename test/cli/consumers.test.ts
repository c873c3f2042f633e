// `fanfare consumer` on a data directory, and `fanfare sub` as one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { start, TestDirectory } from './command.js'

let data: TestDirectory

beforeEach(async () => {
  data = new TestDirectory()
  await data.run(['stream', 'add', 'orders', 'order.>'])
  await data.run(['pub', 'order.placed', '--directory', data.path], 'one\ntwo\nthree\n')
})

afterEach(() => data.remove())

const next = (...flags: string[]) => data.run(['consumer', 'next', 'orders', 'billing', ...flags])
const info = () => data.json(['consumer', 'info', 'orders', 'billing'])

describe('consumers', () => {
  it('are made with options, verified, listed and shown', async () => {
    const command = ['consumer', 'add', 'orders', 'billing', '--topic', 'order.placed']
    await data.run([...command, '--from', '2', '--order', 'key', '--attempts', '3'])
    expect(await info()).toMatchObject({
      name: 'billing',
      stream: 'orders',
      pending: 2,
      isPaused: false,
      options: {
        topics: ['order.placed'],
        from: 2,
        order: 'key',
        retry: { attempts: 3 },
        deadLetter: { stream: 'orders-dead-letters', followers: 'park' },
      },
    })
    expect(await data.fails(command)).toContain('CONSUMER_DIFFERS')
    const listed = (await data.run(['consumer', 'ls', 'orders'])).split('\n')
    expect(listed[1]).toMatch(/^billing {2}order\.placed +2 +0 +0 +1 {2}active$/)
    expect(await data.run(['consumer', 'info', 'orders', 'billing'])).toMatch(/^ack wait +30s$/m)
  })

  it('take messages by their content, as do readers', async () => {
    await data.run(['pub', 'order.paid', '{"total":40}', '--directory', data.path])
    await data.run(['pub', 'order.paid', '{"total":60}', '--directory', data.path])
    const large = ['--where', '{"total":[{"numeric":[">",50]}]}']
    await data.run(['consumer', 'add', 'orders', 'billing', ...large])
    expect(await info()).toMatchObject({
      pending: 1,
      options: { where: { total: [{ numeric: ['>', 50] }] } },
    })
    const shown = await data.run(['consumer', 'info', 'orders', 'billing'])
    expect(shown).toMatch(/^where +\{"total":\[\{"numeric":\[">",50\]\}\]\}$/m)
    expect(await next('--raw')).toBe('{"total":60}\n')
    expect(await data.run(['stream', 'read', 'orders', '--raw', ...large])).toBe('{"total":60}\n')
    const misspelt = ['stream', 'read', 'orders', '--where']
    expect(await data.fails([...misspelt, '{"a":[{"prefx":"x"}]}'])).toContain('FILTER_INVALID')
    expect(await data.fails([...misspelt, 'total > 5'])).toContain('OPTION_INVALID')
  })

  it('go without dead letters when told so', async () => {
    await data.run(['consumer', 'add', 'orders', 'billing', '--no-dead-letter'])
    expect((await info()).options).toMatchObject({ deadLetter: false })
  })

  it('are named when one is not there', async () => {
    await data.run(['consumer', 'add', 'orders', 'audit'])
    await data.run(['consumer', 'add', 'orders', 'billing'])
    const said = await data.fails(['consumer', 'pause', 'orders', 'bill'])
    expect(said).toContain('has no consumer bill; there are audit, billing')
  })

  it('hand out the next messages, each acknowledged when it is printed', async () => {
    await data.run(['consumer', 'add', 'orders', 'billing'])
    expect(await next('--raw')).toBe('one\n')
    expect(await next('--raw', '--count', '2')).toBe('two\nthree\n')
    expect(await info()).toMatchObject({ pending: 0, settledThrough: 3 })
    expect(await data.fails(['consumer', 'next', 'orders', 'billing'])).toContain('TIMEOUT')
  })

  it('get a message back that is not acknowledged', async () => {
    await data.run(['consumer', 'add', 'orders', 'billing'])
    expect(await next('--raw', '--no-ack')).toBe('one\n')
    expect(await next('--raw')).toBe('one\n')
  })

  it('hand out nothing while they are paused', async () => {
    await data.run(['consumer', 'add', 'orders', 'billing'])
    expect(await data.run(['consumer', 'pause', 'orders', 'billing', '1h'])).toContain('is paused')
    expect(await data.fails(['consumer', 'next', 'orders', 'billing'])).toContain('it is paused')
    expect(await data.run(['consumer', 'resume', 'orders', 'billing'])).toContain('is active')
    expect(await next('--raw')).toBe('one\n')
  })

  it('are removed with their place, when that is wanted', async () => {
    await data.run(['consumer', 'add', 'orders', 'billing'])
    const command = ['consumer', 'rm', 'orders', 'billing']
    expect(await data.fails(command)).toContain('with 3 pending messages? There is nobody to ask')
    await data.run([...command, '--force'])
    expect(await data.json(['consumer', 'ls', 'orders'])).toEqual([])
  })
})

describe('sub on a directory', () => {
  const sub = (...flags: string[]) => [
    'sub',
    '--directory',
    data.path,
    '--stream',
    'orders',
    ...flags,
  ]

  it('prints as a consumer, and acknowledges what it printed', async () => {
    await data.run(['consumer', 'add', 'orders', 'billing'])
    expect(await data.run(sub('--consumer', 'billing', '--count', '2', '--raw'))).toBe('one\ntwo\n')
    expect(await info()).toMatchObject({ pending: 1, settledThrough: 2 })
  })

  it('prints from a start', async () => {
    expect(await data.run(sub('--from', 'first', '--count', '3', '--raw'))).toBe(
      'one\ntwo\nthree\n',
    )
    expect(await data.run(sub('--from', '3', '--count', '1', '--raw', 'order.*'))).toBe('three\n')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends in order on %s', async (signal) => {
    await data.run(['consumer', 'add', 'orders', 'billing'])
    for (const flags of [
      ['--consumer', 'billing'],
      ['--from', '3'],
    ]) {
      const command = start(sub('--raw', ...flags))
      await expect.poll(() => command.printed(), { timeout: 10_000 }).toContain('three\n')
      command.child.kill(signal)
      expect(await command.outcome).toMatchObject({ code: 0, stderr: '' })
    }
    expect(await info()).toMatchObject({ pending: 0 })
  })

  it('needs to know what to print', async () => {
    expect(await data.fails(['sub', '--directory', data.path])).toContain('say which stream')
    expect(await data.fails(sub('--consumer', 'billing', '--from', '1'))).toContain(
      'OPTION_INVALID',
    )
    expect(await data.fails(['sub', '--from', '1', 'order.>'])).toContain('give --directory')
    expect(await data.fails(['sub'])).toContain('say which topics')
  })
})
