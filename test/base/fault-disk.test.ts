// What the fault disk does to a program: which states it leaves after a loss of power, a kill, a failure and a full disk.
// Each question is asked over many seeds: every outcome that may happen must happen, and no other.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom, type DiskFile } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'

const textOf = (disk: FaultDisk, path: string): string =>
  new TextDecoder().decode(disk.contents(path))

async function write(file: DiskFile, text: string, position: number): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  await file.write(bytes, 0, bytes.length, position)
}

async function createSynced(disk: FaultDisk, path: string, text: string): Promise<DiskFile> {
  const file = await disk.open(path, 'create')
  await write(file, text, 0)
  await file.sync()
  await disk.syncDirectory(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '')
  return file
}

/** Every outcome of `play`, over many seeds, sorted. */
async function outcomes(
  play: (disk: FaultDisk) => Promise<string>,
  seeds = 200,
): Promise<string[]> {
  const seen = new Set<string>()
  for (let seed = 1; seed <= seeds; seed++) {
    const random = new SeededRandom(Math.imul(seed, 0x9e3779b1))
    seen.add(await play(new FaultDisk({ random })))
  }
  return [...seen].sort()
}

/** Lets the calls that were started go on as far as they can. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

describe('FaultDisk after a loss of power', () => {
  it('holds what was synced', async () => {
    expect(
      await outcomes(async (disk) => {
        await createSynced(disk, 'log', 'safe')
        const found = disk.crash()
        return `${found.paths().join()}: ${textOf(found, 'log')}`
      }),
    ).toEqual(['log: safe'])
  })

  it('keeps, drops or tears each write that was not synced, in any order', async () => {
    const letters = (letter: string): string => letter.repeat(512)
    const shapes = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', letters('-').repeat(4))
      await write(file, letters('A').repeat(2), 0)
      await write(file, letters('B').repeat(2), 1024)
      const text = textOf(disk.crash(), 'log')
      const sectors = text.match(/.{512}/gs)!
      expect(sectors.every((sector) => sector === sector[0]!.repeat(512))).toBe(true)
      return sectors.map((sector) => sector[0]).join('')
    }, 2000)
    const each = ['A', '-'].flatMap((a) => ['A', '-'].map((b) => a + b))
    const all = each.flatMap((a) => each.map((b) => a + b.replaceAll('A', 'B')))
    expect(shapes).toEqual(all.sort())
  })

  it('may know the length of a write whose bytes it lost', async () => {
    const found = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', 'ab')
      await write(file, 'cd', 2)
      return textOf(disk.crash(), 'log')
    })
    expect(found).toEqual(['ab', 'ab\0\0', 'abcd'])
  })

  it('may have done a cut that was not synced, or not', async () => {
    const found = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', 'abcd')
      await file.truncate(2)
      return textOf(disk.crash(), 'log')
    })
    expect(found).toEqual(['ab', 'abcd'])
  })

  it('covers by a sync what was written before it began, and nothing later', async () => {
    const found = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', '--')
      await write(file, 'a', 0)
      const synced = file.sync()
      const late = write(file, 'b', 1)
      await Promise.all([synced, late])
      return textOf(disk.crash(), 'log')
    })
    expect(found).toEqual(['a-', 'ab'])
  })

  it('may miss a file, synced itself, whose directory was not synced', async () => {
    const found = await outcomes(async (disk) => {
      const file = await disk.open('log', 'create')
      await write(file, 'safe', 0)
      await file.sync()
      const after = disk.crash()
      return after
        .paths()
        .map((path) => `${path}: ${textOf(after, path)}`)
        .join()
    })
    expect(found).toEqual(['', 'log: safe'])
  })

  it('may miss a directory with all that is in it', async () => {
    const found = await outcomes(async (disk) => {
      await disk.makeDirectory('a/b')
      await createSynced(disk, 'a/b/log', 'x')
      await disk.syncDirectory('a')
      const after = disk.crash()
      return `${await after.exists('a')} ${after.paths().join()}`
    })
    expect(found).toEqual(['false ', 'true a/b/log'])
  })

  it('has undone or done a rename, also over another file, never half', async () => {
    const found = await outcomes(async (disk) => {
      await createSynced(disk, 'old', 'old')
      await createSynced(disk, 'new', 'new')
      await disk.rename('new', 'old')
      const after = disk.crash()
      return after
        .paths()
        .map((path) => `${path}=${textOf(after, path)}`)
        .join()
    })
    expect(found).toEqual(['new=new,old=old', 'old=new'])
  })

  it('keeps a rename between directories when either of them was synced', async () => {
    for (const directory of ['a', 'b']) {
      const found = await outcomes(async (disk) => {
        await disk.makeDirectory('a')
        await disk.makeDirectory('b')
        await disk.syncDirectory('')
        await createSynced(disk, 'a/log', 'x')
        await disk.rename('a/log', 'b/log')
        await disk.syncDirectory(directory)
        return disk.crash().paths().join()
      })
      expect(found).toEqual(['b/log'])
    }
  })

  it('may bring a removed file back, unless the directory was synced', async () => {
    const play = async (disk: FaultDisk, isSynced: boolean): Promise<string> => {
      await createSynced(disk, 'log', 'x')
      await disk.remove('log')
      if (isSynced) await disk.syncDirectory('')
      return disk.crash().paths().join()
    }
    expect(await outcomes((disk) => play(disk, false))).toEqual(['', 'log'])
    expect(await outcomes((disk) => play(disk, true))).toEqual([''])
  })

  it('never loses a synced file by what is done with names, and never shows it twice', async () => {
    const names = ['a', 'b', 'd/a', 'd/b']
    const name = fc.constantFrom(...names)
    const step = fc.oneof(
      fc.record({ type: fc.constant('rename' as const), from: name, to: name }),
      fc.record({ type: fc.constant('sync' as const), directory: fc.constantFrom('', 'd') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(), async (steps, seed) => {
        const disk = new FaultDisk({ random: new SeededRandom(seed) })
        await disk.makeDirectory('d')
        await disk.syncDirectory('')
        for (const path of names.slice(0, 3)) await createSynced(disk, path, `file ${path}`)
        for (const one of steps) {
          if (one.type === 'sync') await disk.syncDirectory(one.directory)
          // Only to names that are free, so that no file is ever given up.
          else if (disk.paths().includes(one.from) && !disk.paths().includes(one.to)) {
            await disk.rename(one.from, one.to)
          }
        }
        const found = disk.crash()
        expect(
          found
            .paths()
            .map((path) => textOf(found, path))
            .sort(),
        ).toEqual(['file a', 'file b', 'file d/a'])
      }),
      { numRuns: 300 },
    )
  })

  it('may have done any part of a write that was under way', async () => {
    const found = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', '--')
      disk.haltAt(1)
      void write(file, 'ab', 0)
      await turns()
      expect(disk.isHalted).toBe(true)
      return textOf(disk.crash(), 'log')
    })
    expect(found).toEqual(['--', 'ab'])
  })
})

describe('FaultDisk after a kill', () => {
  it('holds all that was written, and any first part of the write under way', async () => {
    const found = await outcomes(async (disk) => {
      const file = await disk.open('log', 'create')
      await write(file, 'ab', 0)
      disk.haltAt(1)
      void write(file, 'cd', 2)
      await turns()
      return textOf(disk.kill(), 'log')
    })
    expect(found).toEqual(['ab', 'abc', 'abcd'])
  })

  it('can still lose it with the power', async () => {
    const found = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', '-')
      await write(file, 'a', 0)
      const killed = disk.kill()
      expect(textOf(killed, 'log')).toBe('a')
      return textOf(killed.crash(), 'log')
    })
    expect(found).toEqual(['-', 'a'])
  })

  it('has done a rename that was under way, or not', async () => {
    const found = await outcomes(async (disk) => {
      await createSynced(disk, 'a', 'x')
      disk.haltAt(1)
      void disk.rename('a', 'b')
      await turns()
      return disk.kill().paths().join()
    })
    expect(found).toEqual(['a', 'b'])
  })

  it('never answers the program that was killed', async () => {
    const disk = new FaultDisk()
    const file = await createSynced(disk, 'log', 'x')
    const answers: string[] = []
    void file.sync().then(() => answers.push('sync'))
    disk.kill()
    void disk.list('').then(() => answers.push('list'))
    void file.close().then(() => answers.push('close'))
    await turns()
    expect(answers).toEqual([])
  })
})

describe('FaultDisk with failures', () => {
  const failed = { code: 'DISK_FAILED' }

  it('fails the call that was named, once', async () => {
    const disk = new FaultDisk()
    await disk.makeDirectory('d')
    disk.failAt('open', 2, 'd')
    const file = await disk.open('d/a', 'create')
    await disk.open('b', 'create')
    await expect(disk.open('d/c', 'create')).rejects.toMatchObject(failed)
    expect(disk.paths()).toEqual(['b', 'd/a'])
    disk.failAt('rename')
    await expect(disk.rename('b', 'c')).rejects.toMatchObject(failed)
    await disk.rename('b', 'c')
    disk.failAt('read')
    disk.forgetFaults()
    expect(await file.read(new Uint8Array(1), 0, 1, 0)).toBe(0)
  })

  it('may have written a first part of a failed write', async () => {
    const found = await outcomes(async (disk) => {
      const file = await disk.open('log', 'create')
      disk.failAt('write')
      await expect(write(file, 'ab', 0)).rejects.toMatchObject(failed)
      return textOf(disk, 'log')
    })
    expect(found).toEqual(['', 'a', 'ab'])
  })

  it('loses what a failed sync had to cover, silently', async () => {
    const found = await outcomes(async (disk) => {
      const file = await createSynced(disk, 'log', '--')
      await write(file, 'a', 0)
      disk.failAt('sync')
      await expect(file.sync()).rejects.toMatchObject(failed)
      expect(textOf(disk, 'log')).toBe('a-')
      await write(file, 'b', 1)
      await file.sync()
      return textOf(disk.crash(), 'log')
    })
    expect(found).toEqual(['-b', 'ab'])
  })

  it('refuses what goes over its capacity, and takes it when there is room again', async () => {
    const found = await outcomes(async (disk) => {
      const reserve = await createSynced(disk, 'reserve', '....')
      const file = await disk.open('log', 'create')
      disk.capacityBytes = 10
      await write(file, 'abcd', 0)
      expect(await disk.freeBytes()).toBe(2)
      await expect(write(file, 'efgh', 4)).rejects.toMatchObject({
        code: 'DISK_FULL',
        retryable: true,
      })
      const left = textOf(disk, 'log')
      await write(file, 'ABCD', 0)
      await file.truncate(4)
      await reserve.truncate(0)
      await write(file, 'efgh', 4)
      expect(textOf(disk, 'log')).toBe('ABCDefgh')
      return left
    })
    expect(found).toEqual(['abcd', 'abcde', 'abcdef'])
  })

  it('turns over a bit at rest', async () => {
    const disk = new FaultDisk()
    await createSynced(disk, 'log', 'aa')
    disk.flipBit('log', 9)
    expect(textOf(disk, 'log')).toBe('ac')
    expect(textOf(disk.crash(), 'log')).toBe('ac')
  })

  it('catches a program that changes bytes while they are written', async () => {
    const file = await new FaultDisk().open('log', 'create')
    const bytes = Uint8Array.of(1, 2)
    const written = file.write(bytes, 0, 2, 0)
    bytes[1] = 3
    await expect(written).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

describe('FaultDisk', () => {
  it('stands still in the middle of the call that was named', async () => {
    const disk = new FaultDisk()
    disk.haltAt(3)
    const answers: string[] = []
    void (async () => {
      for (const path of ['a', 'b', 'c', 'd']) {
        await disk.open(path, 'create')
        answers.push(path)
      }
    })()
    await turns()
    expect(answers).toEqual(['a', 'b'])
    expect(disk.isHalted).toBe(true)
    expect(disk.counters.calls).toBe(3)
  })

  it('does the same again from the same seed', async () => {
    const play = async (): Promise<unknown> => {
      const disk = new FaultDisk({ random: new SeededRandom(42) })
      const files = await Promise.all(['a', 'b'].map((path) => disk.open(path, 'create')))
      const order: string[] = []
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          await write(files[i % 2]!, String(i), i * 600)
          order.push(`write ${i}`)
          if (i % 7 === 0) await files[0]!.sync()
          order.push(`done ${i}`)
        }),
      )
      const found = disk.crash()
      return [order, found.paths().map((path) => [path, textOf(found, path)])]
    }
    expect(await play()).toEqual(await play())
  })

  it('counts calls and bytes, and the files that are open', async () => {
    const disk = new FaultDisk()
    const file = await createSynced(disk, 'log', 'abc')
    await write(file, 'de', 0)
    await file.read(new Uint8Array(9), 0, 9, 1)
    expect(disk.counters).toEqual({
      calls: 6,
      writes: 2,
      bytesWritten: 5,
      reads: 1,
      bytesRead: 2,
      syncs: 1,
      directorySyncs: 1,
    })
    expect(disk.openFiles).toBe(1)
    await file.close()
    await file.close()
    expect(disk.openFiles).toBe(0)
    expect(disk.usedBytes).toBe(3)
  })

  it('is copied with all that is on it, and the copy goes its own way', async () => {
    const disk = new FaultDisk()
    await disk.makeDirectory('d')
    const file = await disk.open('d/log', 'create')
    await write(file, 'abc', 0)
    const copy = disk.copy().crash()
    copy.replaceContents('d/log', Uint8Array.of(120))
    expect(textOf(copy, 'd/log')).toBe('x')
    expect(textOf(disk, 'd/log')).toBe('abc')
  })
})
