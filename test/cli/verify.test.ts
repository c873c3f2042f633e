// `fanfare verify`: finds what is damaged, and changes nothing.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { start, TestDirectory } from './command.js'

let data: TestDirectory

beforeEach(async () => {
  data = new TestDirectory()
  await data.run(['stream', 'add', 'orders', 'order.>'])
  const input = Array.from({ length: 100 }, (_, i) => `order number ${i + 1};\n`).join('')
  await data.run(['pub', 'order.placed', '--quiet', '--directory', data.path], input)
})

afterEach(() => data.remove())

const files = () =>
  readdirSync(data.path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(data.path, name))
    .filter((path) => statSync(path).isFile())
    .sort()

const digest = () =>
  files().map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')])

/** Flips a bit of the text in the file that holds it. */
function damage(text: string): void {
  const path = files().find((file) => readFileSync(file).includes(text))!
  const bytes = readFileSync(path)
  bytes[bytes.indexOf(text)]! ^= 1
  writeFileSync(path, bytes)
}

it('finds nothing where nothing is wrong, and changes nothing', async () => {
  const before = digest()
  expect(await data.run(['verify', data.path])).toBe(`${data.path}: Nothing is damaged\n`)
  expect(await data.run(['verify', data.path, '--json'])).toBe('')
  expect(digest()).toEqual(before)
})

it('finds a flipped bit, ends with code 1, and changes nothing', async () => {
  damage('order number 50;')
  const before = digest()
  const { code, stdout, stderr } = await start(['verify', data.path]).outcome
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  expect(stdout).toMatch(
    /^damaged-block of stream orders: logs\/.*Messages from \d+ .* may be lost\.$/m,
  )
  expect(stdout).toContain('of damage\n')
  const inJson = await start(['verify', data.path, '--json']).outcome
  expect(inJson.code).toBe(1)
  expect(JSON.parse(inJson.stdout.split('\n')[0]!)).toMatchObject({ log: 'orders' })
  expect(digest()).toEqual(before)
})

it('leaves the other streams working, and reading says what is damaged and goes on behind it', async () => {
  await data.run(['stream', 'add', 'audit', 'audit.>'])
  await data.run(['pub', 'audit.login', 'x', '--directory', data.path])
  await data.run(['pub', 'order.placed', 'after it', '--directory', data.path])
  damage('order number 50;')
  const audit = await start(['stream', 'read', 'audit', '--raw'], '', data.path).outcome
  expect(audit).toMatchObject({ code: 0, stdout: 'x\n' })
  const orders = await start(['stream', 'read', 'orders', '--raw'], '', data.path).outcome
  expect(orders.code).toBe(0)
  expect(orders.stdout).toMatch(/after it\n$/)
  expect(orders.stdout).not.toContain('50;')
  expect(orders.stderr).toMatch(/^fanfare: logs\/orders.*damaged/m)
})

it('takes the rest of an unclean stop for no damage', async () => {
  const flags = ['serve', '-a', '127.0.0.1', '-p', '-1', '-js', '-sd', data.path]
  const serving = start(flags)
  await expect.poll(() => serving.printed(), { timeout: 10_000 }).toContain('Server is ready')
  expect(await data.fails(['verify', data.path])).toContain('DIRECTORY_LOCKED')
  serving.child.kill('SIGKILL')
  await serving.outcome
  const text = await data.run(['verify', data.path])
  expect(text).toContain('unclean-stop: ')
  expect(text).toContain('Nothing is damaged')
})

it('refuses what is no data directory', async () => {
  expect(await data.fails(['verify', join(data.path, 'logs')])).toContain('is no data directory')
})
