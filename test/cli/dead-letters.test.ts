// `fanfare dead-letter` on letters that a broker's handlers left.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openBroker } from 'fanfare'
import { TestDirectory } from './command.js'

let data: TestDirectory

interface Letter {
  readonly sequence: number
  readonly data: string
}

/** Four letters of the consumer billing: 1 and 3 of ann, 2 and 4 of bob; bob's are of another topic. */
async function leaveLetters(): Promise<void> {
  const broker = await openBroker({ directory: data.path, onEvent: () => undefined })
  const orders = await broker.stream('orders', { topics: ['order.>'] })
  for (const [i, key] of ['ann', 'bob', 'ann', 'bob'].entries()) {
    await broker.publish(key === 'ann' ? 'order.placed' : 'order.paid', i + 1, { key })
  }
  const billing = await broker.consume('billing', 'order.*', (message) =>
    message.reject(`no credit for ${message.data as number}`),
  )
  await expect.poll(() => orders.deadLetters.count(), { timeout: 10_000 }).toBe(4)
  await billing.close()
  await broker.close()
}

beforeEach(async () => {
  data = new TestDirectory()
  await leaveLetters()
})

afterEach(() => data.remove())

const list = async (...filters: string[]) =>
  (await data.json<Letter[]>(['dead-letter', 'ls', 'orders', ...filters])).map(
    ({ sequence }) => sequence,
  )

it('lists letters by every filter', async () => {
  expect(await list()).toEqual([1, 2, 3, 4])
  expect(await list('--key', 'ann')).toEqual([1, 3])
  expect(await list('--topic', 'order.paid')).toEqual([2, 4])
  expect(await list('--consumer', 'billing', '--reason', 'rejected', '--limit', '1')).toEqual([1])
  expect(await list('--consumer', 'audit')).toEqual([])
  expect(await list('--reason', 'expired')).toEqual([])
  expect(await list('--sequence', '1,4', '--sequence', '2')).toEqual([1, 2, 4])
  const [headings, first] = (await data.run(['dead-letter', 'ls', 'orders'])).split('\n')
  expect(headings).toMatch(/^SEQUENCE {2}TIME +REASON +CONSUMER +TOPIC +KEY +ORIGINAL +ATTEMPTS/)
  expect(first).toMatch(
    /^ {7}1 {2}.*Z {2}rejected {2}billing +order\.placed {2}ann +1 +1 {2}no credit for 1$/,
  )
})

it('shows one letter with its message', async () => {
  const text = await data.run(['dead-letter', 'show', 'orders', '2'])
  expect(text).toMatch(/^reason +rejected$/m)
  expect(text).toMatch(/^error +no credit for 2$/m)
  expect(text.endsWith('\n\n2\n')).toBe(true)
  expect(await data.json(['dead-letter', 'show', 'orders', '2'])).toMatchObject({
    topic: 'order.paid',
    key: 'bob',
    originalSequence: 2,
    data: '2',
  })
  expect(await data.fails(['dead-letter', 'show', 'orders', '9'])).toContain('no dead letter 9')
})

it('hands letters out again, to the consumer that gave them up', async () => {
  const redrive = ['dead-letter', 'redrive', 'orders', '--key', 'bob']
  expect(await data.run(redrive)).toBe('2 dead letters of stream orders will be handed out again\n')
  const taken = await data.run(['consumer', 'next', 'orders', 'billing', '--count', '2', '--raw'])
  expect(taken).toBe('2\n4\n')
  expect(await list()).toEqual([1, 3])
})

it('discards letters when that is wanted', async () => {
  const discard = ['dead-letter', 'discard', 'orders', '--key', 'ann']
  expect(await data.fails(discard)).toContain('Discard 2 dead letters of stream orders? There is')
  expect(await data.json([...discard, '--force'])).toEqual({ stream: 'orders', discarded: 2 })
  expect(await list()).toEqual([2, 4])
})
