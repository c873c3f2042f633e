// Logs in files on a disk in memory: what a commit costs, what a reopening finds, what failures do.
import { describe, expect, it } from 'vitest'
import { SeededRandom, VirtualClock, type FanfareError } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'
import { openFileLogStore, type LogStore, type RecoveryFinding } from '../../src/log/index.js'
import { append, keysOf, readAll } from './log-access.js'
import { turn } from './turns.js'

async function open(disk = new FaultDisk(), findings: RecoveryFinding[] = []) {
  const clock = new VirtualClock()
  const store = await turn(
    clock,
    openFileLogStore(disk, clock, { onFinding: (finding) => findings.push(finding) }),
  )
  return { disk, clock, store, run: <T>(work: Promise<T>) => turn(clock, work) }
}

const bodies = async (store: LogStore, name: string): Promise<string[]> =>
  (await readAll(store.logs.get(name)!)).map(({ body }) => body)

describe('openFileLogStore', () => {
  it('keeps logs, records, keys and owners over a clean close', async () => {
    const { disk, store, run } = await open()
    const log = await run(store.create('orders', { durability: 'fsync' }))
    for (let i = 0; i < 50; i++) append(log, 1_000 + i, i, `key-${i % 7}`, 'head', `body-${i}`)
    store.adopt('owner', { snapshot: () => new Uint8Array([1, 2]) })
    store.note('owner', new Uint8Array([3]), 'rides')
    await run(store.close())
    const again = await open(disk.copy())
    expect(again.store.findings).toEqual([])
    const found = again.store.logs.get('orders')!
    expect(found.state).toEqual(log.state)
    expect(await readAll(found)).toEqual(await readAll(log))
    expect(keysOf(found)).toEqual(keysOf(log))
    expect(again.store.recovered.get('owner')!.snapshot).toEqual(new Uint8Array([1, 2]))
  })

  it('commits one log with one write and one sync', async () => {
    const { disk, store, run } = await open()
    const log = await run(store.create('orders', { durability: 'fsync' }))
    append(log, 1, 0, 'k', '', 'first')
    await run(store.flush())
    const { writes, syncs } = disk.counters
    for (let i = 0; i < 100; i++) append(log, 1, 0, 'k', '', 'body')
    await run(store.flush())
    expect(disk.counters.writes - writes).toBe(1)
    expect(disk.counters.syncs - syncs).toBe(1)
  })

  it('commits a thousand logs with one sync', async () => {
    const { disk, clock, store, run } = await open()
    const logs = await run(
      Promise.all(
        Array.from({ length: 1_000 }, (_, i) => store.create(`log-${i}`, { durability: 'fsync' })),
      ),
    )
    const { syncs } = disk.counters
    let committed = 0
    let syncsWhenTold = 0
    for (const log of logs) {
      log.listen({
        committed: () => {
          committed += 1
          syncsWhenTold = disk.counters.syncs
        },
        failed: () => undefined,
      })
      append(log, clock.nowMs(), 0, 'k', '', 'body')
    }
    await run(store.flush())
    expect(committed).toBe(1_000)
    expect(syncsWhenTold - syncs).toBe(1)
  })

  it('loses nothing that was committed when the power fails', async () => {
    const { disk, store, run } = await open(new FaultDisk({ random: new SeededRandom(5) }))
    const log = await run(store.create('orders', { durability: 'fsync' }))
    const other = await run(store.create('others', { durability: 'fsync' }))
    append(log, 1, 0, 'k', '', 'one')
    await run(store.flush())
    append(log, 1, 0, 'k', '', 'two')
    append(other, 1, 0, 'k', '', 'three')
    await run(store.flush())
    const again = await open(disk.crash())
    expect(await bodies(again.store, 'orders')).toEqual(['one', 'two'])
    expect(await bodies(again.store, 'others')).toEqual(['three'])
  })

  it('refuses what does not fit on a full disk, and works again when there is room', async () => {
    const { disk, store, run } = await open()
    const log = await run(store.create('orders', { durability: 'fsync' }))
    const failed: [number, string][] = []
    log.listen({
      committed: () => undefined,
      failed: (from, error) => failed.push([from, error.code]),
    })
    append(log, 1, 0, 'k', '', 'kept')
    await run(store.flush())
    disk.capacityBytes = disk.usedBytes + 100
    append(log, 1, 0, 'k', '', 'x'.repeat(5_000))
    store.adopt('owner', { snapshot: () => new Uint8Array(64) })
    const noted = new Promise<FanfareError | undefined>((resolve) =>
      store.note('owner', new Uint8Array(64), 'fsync', resolve),
    )
    await run(store.flush())
    expect(failed).toEqual([[2, 'DISK_FULL']])
    expect(await noted).toBeUndefined()
    expect(log.frozen).toBeUndefined()
    disk.capacityBytes = Infinity
    expect(append(log, 1, 0, 'k', '', 'again')).toBe(2)
    await run(store.flush())
    expect(await bodies(store, 'orders')).toEqual(['kept', 'again'])
    const reopened = await open(disk.crash())
    expect(await bodies(reopened.store, 'orders')).toEqual(['kept', 'again'])
    expect(reopened.store.recovered.get('owner')!.notes).toHaveLength(1)
  })

  it('freezes a log whose file cannot be synced, loses nothing of it, and lets the others go on', async () => {
    const findings: RecoveryFinding[] = []
    const { disk, store, run } = await open(new FaultDisk(), findings)
    const log = await run(store.create('orders', { durability: 'fsync' }))
    const other = await run(store.create('others', { durability: 'fsync' }))
    append(log, 1, 0, 'k', '', 'one')
    await run(store.flush())
    disk.failAt('sync', 1, 'logs/orders.1')
    append(log, 1, 0, 'k', '', 'two')
    await run(store.flush())
    expect(log.frozen).toMatchObject({ code: 'STREAM_FROZEN' })
    expect(findings).toMatchObject([{ kind: 'unclean-stop', log: 'orders' }])
    expect(() => append(log, 1, 0, 'k', '', 'three')).toThrow()
    append(other, 1, 0, 'k', '', 'goes on')
    await run(store.flush())
    expect(await bodies(store, 'orders')).toEqual(['one', 'two'])
    const again = await open(disk.crash())
    expect(await bodies(again.store, 'orders')).toEqual(['one', 'two'])
    expect(await bodies(again.store, 'others')).toEqual(['goes on'])
    expect(again.store.logs.get('orders')!.frozen).toBeUndefined()
  })

  it('freezes all durable logs when the journal cannot be synced', async () => {
    const { disk, store, run } = await open()
    const log = await run(store.create('orders', { durability: 'fsync' }))
    const other = await run(store.create('others', { durability: 'fsync' }))
    disk.failAt('sync', 1, 'journal')
    append(log, 1, 0, 'k', '', 'one')
    append(other, 1, 0, 'k', '', 'two')
    await run(store.flush())
    expect(log.frozen).toMatchObject({ code: 'STREAM_FROZEN' })
    expect(other.frozen).toMatchObject({ code: 'STREAM_FROZEN' })
    expect(await bodies(store, 'orders')).toEqual([])
    await run(store.close())
  })

  it('refuses a unit with parts in memory and on the disk', async () => {
    const { store, run } = await open()
    const log = await run(store.create('orders', { durability: 'fsync' }))
    const memory = await run(store.create('memory', { durability: 'memory' }))
    store.beginUnit()
    append(log, 1, 0, 'k', '', 'one')
    expect(() => append(memory, 1, 0, 'k', '', 'two')).toThrow(
      expect.objectContaining({ code: 'DURABILITY_MISMATCH' }),
    )
    store.endUnit()
    await run(store.flush())
  })

  it('never gives a number of a log in memory again, nor of one that is not synced', async () => {
    const { disk, store, run } = await open()
    const memory = await run(store.create('memory', { durability: 'memory' }))
    const os = await run(store.create('os', { durability: 'os' }))
    append(memory, 1, 0, 'k', '', 'one')
    append(os, 1, 0, 'k', '', 'one')
    await run(store.flush())
    const again = await open(disk.crash())
    expect(append(again.store.logs.get('memory')!, 1, 0, 'k', '', '')).toBeGreaterThan(1)
    expect(append(again.store.logs.get('os')!, 1, 0, 'k', '', '')).toBeGreaterThan(1)
  })

  it('refuses a directory of a newer format', async () => {
    const { disk, store, run } = await open()
    await run(store.close())
    const found = disk.copy()
    found.replaceContents('fanfare.json', new TextEncoder().encode('{"format":2}'))
    await expect(open(found)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' })
  })
})
