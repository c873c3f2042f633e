// Places for the conformance suite inside this process: in memory; on a disk that can lose its power; in a real directory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SeededRandom } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'
import { EmbeddedEngine, openEmbeddedEngine, openEngineOnDisk } from '../../src/embedded/index.js'
import type { Engine } from '../../src/engine/index.js'
import type { Ending, Place } from '../conformance/stage.js'
import { TestClock } from '../../src/testing/test-clock.js'

/** In memory: keeps nothing, and its time is moved by the cases. */
export async function openMemoryPlace(): Promise<Place> {
  const time = new TestClock()
  const engine = new EmbeddedEngine({ clock: time })
  await engine.openDurable()
  return { engine, time, another: async () => engine, close: () => engine.close() }
}

/** On a disk in memory that loses at a kill, or with its power, what such a disk may lose; by the seed. */
export async function openFaultDiskPlace(seed = 1): Promise<Place> {
  let disk = new FaultDisk({ random: new SeededRandom(seed) })
  let clock = new TestClock()
  let engine = await openEngineOnDisk(disk, { clock })

  const end = async (ending: Ending): Promise<FaultDisk> => {
    if (ending === 'restart') {
      await engine.close()
      return disk
    }
    clock.stop()
    return ending === 'kill' ? disk.kill() : disk.crash()
  }

  return {
    get engine(): Engine {
      return engine
    },
    get time() {
      return clock
    },
    endings: ['restart', 'kill', 'power loss'],
    another: async () => engine,
    async reopen(ending) {
      disk = await end(ending)
      clock = new TestClock(clock.nowMs())
      engine = await openEngineOnDisk(disk, { clock })
    },
    close: () => engine.close(),
  }
}

/** In a directory of this machine, by its clock. */
export async function openDirectoryPlace(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'fanfare-conformance-'))
  let engine = await openEmbeddedEngine({ directory })
  return {
    get engine(): Engine {
      return engine
    },
    endings: ['restart'],
    another: async () => engine,
    async reopen() {
      await engine.close()
      engine = await openEmbeddedEngine({ directory })
    },
    async close() {
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
