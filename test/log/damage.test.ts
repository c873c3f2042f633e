// Every truncation and every flipped bit of a small store: opening never throws, what is damaged is found, and what lies before
// it is there.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'
import { openFileLogStore, verifyStore, type RecoveryFinding } from '../../src/log/index.js'
import { append, readAll } from './log-access.js'
import { turn } from './turns.js'

const SEGMENT = 'logs/orders.1/0000000000000001.segment'
const BODIES = ['one', 'two', 'three', 'four']

/** A store with four records in four blocks, closed cleanly or not. */
async function makeStore(isClosed: boolean): Promise<FaultDisk> {
  const disk = new FaultDisk()
  const clock = new VirtualClock()
  const store = await turn(clock, openFileLogStore(disk, clock))
  const log = await turn(clock, store.create('orders', { durability: 'fsync' }))
  store.adopt('owner', { snapshot: () => new Uint8Array([7]) })
  for (const body of BODIES) {
    append(log, 1, 0, 'k', '', body)
    await turn(clock, store.flush())
  }
  if (isClosed) await turn(clock, store.close())
  return disk.copy()
}

async function look(disk: FaultDisk) {
  const clock = new VirtualClock()
  const later: RecoveryFinding[] = []
  const onFinding = (finding: RecoveryFinding): void => void later.push(finding)
  const store = await turn(clock, openFileLogStore(disk, clock, { onFinding }))
  const log = store.logs.get('orders')
  const bodies = log === undefined ? [] : await turn(clock, readAll(log))
  return { bodies: bodies.map(({ body }) => body), findings: [...store.findings, ...later], log }
}

async function verify(disk: FaultDisk): Promise<RecoveryFinding[]> {
  const findings: RecoveryFinding[] = []
  for await (const finding of verifyStore(disk)) findings.push(finding)
  return findings
}

describe('a damaged store', () => {
  it('has nothing wrong with it when it is whole', async () => {
    expect(await verify(await makeStore(true))).toEqual([])
  })

  it('opens at every truncation of a segment that was not closed, and keeps what is whole', async () => {
    const whole = await makeStore(false)
    const bytes = whole.contents(SEGMENT)
    for (let length = 0; length < bytes.length; length++) {
      const disk = whole.copy()
      disk.replaceContents(SEGMENT, bytes.slice(0, length))
      const { bodies, log } = await look(disk)
      expect(bodies).toEqual(BODIES.slice(0, bodies.length))
      expect(log!.frozen).toBeUndefined()
    }
  })

  it.each([true, false])(
    'finds every flipped bit of a segment, closed cleanly: %s',
    async (isClosed) => {
      const whole = await makeStore(isClosed)
      const bytes = whole.contents(SEGMENT)
      for (let bit = 0; bit < bytes.length * 8; bit += 3) {
        const disk = whole.copy()
        disk.flipBit(SEGMENT, bit)
        const found = (await verify(disk)).filter(({ kind }) => kind !== 'unclean-stop')
        expect(found.length, `bit ${bit}`).toBeGreaterThan(0)
        const { bodies, log } = await look(disk)
        // Only what lies in the damaged block is lost; the last block of an unclean stop is ambiguous.
        expect(bodies.length, `bit ${bit}`).toBeGreaterThanOrEqual(BODIES.length - 1)
        expect(BODIES.filter((body) => bodies.includes(body))).toEqual(bodies)
        expect(append(log!, 1, 0, 'k', '', 'more')).toBeGreaterThanOrEqual(isClosed ? 5 : 4)
      }
    },
  )

  it('opens at every flipped bit and every truncation of a journal', async () => {
    const whole = await makeStore(true)
    const journal = whole.paths().find((path) => path.startsWith('journal/'))!
    const bytes = whole.contents(journal)
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const disk = whole.copy()
      disk.flipBit(journal, bit)
      expect((await verify(disk)).length, `bit ${bit}`).toBeGreaterThan(0)
      expect((await look(disk)).bodies, `bit ${bit}`).toEqual(BODIES)
    }
    for (let length = 0; length < bytes.length; length++) {
      const disk = whole.copy()
      disk.replaceContents(journal, bytes.slice(0, length))
      expect((await look(disk)).bodies, `length ${length}`).toEqual(BODIES)
    }
  })

  it('reads the segments when the index is damaged, and says so', async () => {
    const whole = await makeStore(true)
    const index = whole.paths().find((path) => path.endsWith('/index'))!
    for (let bit = 0; bit < whole.contents(index).length * 8; bit += 41) {
      const disk = whole.copy()
      disk.flipBit(index, bit)
      const { bodies, findings } = await look(disk)
      expect(bodies, `bit ${bit}`).toEqual(BODIES)
      expect(findings.map(({ kind }) => kind)).toEqual(['damaged-index'])
    }
  })
})
