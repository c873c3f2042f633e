// How many calls of each purpose run at once, and in which order they start.
import { describe, expect, it } from 'vitest'
import type { DiskPurpose } from '../../src/base/index.js'
import { IoScheduler } from '../../src/base/disk/io-scheduler.js'

/** Starts `count` calls that end when the test says so. */
function start(scheduler: IoScheduler, purpose: DiskPurpose, count: number) {
  const running: { index: number; end: (error?: Error) => void }[] = []
  const all = Array.from({ length: count }, (_, index) =>
    scheduler.run(
      purpose,
      () =>
        new Promise<number>((resolve, reject) => {
          running.push({ index, end: (error) => (error ? reject(error) : resolve(index)) })
        }),
    ),
  )
  return { running, all }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

describe('IoScheduler', () => {
  it('runs two reads at a time, first come, first served', async () => {
    const { running, all } = start(new IoScheduler(), 'read', 5)
    for (let ended = 0; ended < 5; ended++) {
      await turns()
      expect(running.map(({ index }) => index)).toEqual(
        [0, 1, 2, 3, 4].slice(0, Math.min(5, ended + 2)),
      )
      running[ended]!.end()
    }
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4])
  })

  it('runs one call of the background at a time, beside the reads', async () => {
    const scheduler = new IoScheduler()
    const reads = start(scheduler, 'read', 3)
    const background = start(scheduler, 'background', 2)
    await turns()
    expect(reads.running).toHaveLength(2)
    expect(background.running).toHaveLength(1)
    background.running[0]!.end()
    await turns()
    expect(background.running).toHaveLength(2)
    expect(reads.running).toHaveLength(2)
  })

  it('starts a commit at once, whatever else is under way', () => {
    const scheduler = new IoScheduler()
    start(scheduler, 'read', 9)
    start(scheduler, 'background', 9)
    expect(start(scheduler, 'commit', 3).running).toHaveLength(3)
  })

  it('passes the place of a failed call on', async () => {
    const { running, all } = start(new IoScheduler(), 'background', 2)
    await turns()
    running[0]!.end(new Error('broken'))
    await expect(all[0]).rejects.toThrow('broken')
    running[1]!.end()
    expect(await all[1]).toBe(1)
  })
})
