// Indexes of full segments: after an unclean stop they save reading, and never change what is found.
import { describe, expect, it } from 'vitest'
import { FaultDisk } from '../../src/base/faults/index.js'
import { VirtualClock } from '../../src/base/index.js'
import { openFileLogStore, type Log, type LogSettings, type LogStore } from '../../src/log/index.js'
import { append, keysOf, readAll } from './log-access.js'
import { turn } from './turns.js'

const RECORDS = 400
const settings: LogSettings = { durability: 'fsync', segmentBytes: 4_096 }

interface Opened {
  readonly disk: FaultDisk
  readonly store: LogStore
  readonly log: Log
  readonly run: <T>(work: Promise<T>) => Promise<T>
}

async function open(disk: FaultDisk): Promise<Opened> {
  const clock = new VirtualClock()
  const run = <T>(work: Promise<T>): Promise<T> => turn(clock, work)
  const store = await run(openFileLogStore(disk, clock))
  const log = store.logs.get('orders') ?? (await run(store.create('orders', settings)))
  return { disk, store, log, run }
}

/** A log of many full segments, all of which have their index. */
async function fill(): Promise<Opened> {
  const opened = await open(new FaultDisk())
  for (let i = 0; i < RECORDS; i++) {
    append(opened.log, 1_000 + i, 0, `key-${i % 5}`, '', `body ${i} ${'.'.repeat(60)}`)
    await opened.run(opened.store.flush())
  }
  for (let i = 0; i < 20; i++) await opened.run(opened.store.flush())
  return opened
}

const indexesOf = (disk: FaultDisk): string[] =>
  disk.paths().filter((path) => path.endsWith('.index'))
const segmentsOf = (disk: FaultDisk): string[] =>
  disk.paths().filter((path) => path.endsWith('.segment'))

async function withoutIndexes(disk: FaultDisk): Promise<FaultDisk> {
  const bare = disk.copy()
  for (const path of indexesOf(bare)) await bare.remove(path)
  return bare
}

/** What is found is the same as by reading all segments. */
async function expectSame(found: Opened, read: Opened): Promise<void> {
  await found.run(found.log.settled())
  await read.run(read.log.settled())
  expect(found.log.state).toEqual(read.log.state)
  expect(keysOf(found.log)).toEqual(keysOf(read.log))
  expect(await readAll(found.log)).toEqual(await readAll(read.log))
  expect(found.store.findings).toEqual(read.store.findings)
}

describe('the index of a full segment', () => {
  it('is there for all segments but the last', async () => {
    const { disk } = await fill()
    expect(segmentsOf(disk).length).toBeGreaterThan(8)
    expect(indexesOf(disk).length).toBe(segmentsOf(disk).length - 1)
  })

  it('saves reading the segment after a kill, and tells the same', async () => {
    const { disk } = await fill()
    const found = await open(disk.copy())
    const read = await open(await withoutIndexes(disk))
    const last = disk.contents(segmentsOf(disk).at(-1)!).length
    const indexes = indexesOf(disk).reduce((sum, path) => sum + disk.contents(path).length, 0)
    const bytesOfSegments = read.disk.counters.bytesRead - found.disk.counters.bytesRead
    expect(bytesOfSegments).toBeGreaterThan(8 * 4_096 - indexes - last)
    await expectSame(found, read)
  })

  it('does not count when a record of the segment was removed', async () => {
    const { disk, log, run, store } = await fill()
    expect(log.remove(30, true)).toBe(true)
    log.trim(7, true)
    await run(store.flush())
    const found = await open(disk.copy())
    await expectSame(found, await open(await withoutIndexes(disk)))
    expect(keysOf(found.log).get('key-4')!.count).toBe(RECORDS / 5 - 2)
  })

  it('is passed over when it is damaged, and written anew', async () => {
    const { disk } = await fill()
    for (const [i, path] of indexesOf(disk).entries()) {
      const damaged = disk.copy()
      if (i % 2 === 0) damaged.flipBit(path, (i * 131) % (damaged.contents(path).length * 8))
      else
        await (await damaged.open(path, 'write')).truncate((i * 29) % damaged.contents(path).length)
      expect(damaged.contents(path)).not.toEqual(disk.contents(path))
      const found = await open(damaged)
      await expectSame(found, await open(await withoutIndexes(disk)))
      for (let j = 0; j < 20; j++) await found.run(found.store.flush())
      // The hashes in it begin with another seed.
      expect(damaged.contents(path).length).toBe(disk.contents(path).length)
      await expectSame(await open(damaged.copy()), found)
    }
  })

  it('goes with its segment, of which a trim drops all that it can', async () => {
    const { disk, log, run, store } = await fill()
    const before = indexesOf(disk)
    log.trim(RECORDS / 2, true)
    await run(log.settled())
    for (let i = 0; i < 200; i++) await run(store.flush())
    const withIndex = indexesOf(disk).map((path) => path.replace('.index', '.segment'))
    expect(segmentsOf(disk)).toEqual(expect.arrayContaining(withIndex))
    expect(withIndex.length).toBeLessThan(before.length * 0.6)
  })
})
