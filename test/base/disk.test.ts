// One suite of cases for both disks: what the log may rely on, wherever it runs.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Disk, type DiskFile, type OpenMode } from '../../src/base/index.js'
import { FaultDisk } from '../../src/base/faults/index.js'
import { openSystemDisk } from '../../src/base/disk/index.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

async function writeAll(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'create')
  const bytes = bytesOf(text)
  await file.write(bytes, 0, bytes.length, 0)
  await file.close()
}

async function readAll(file: DiskFile): Promise<string> {
  const bytes = new Uint8Array(await file.size())
  expect(await file.read(bytes, 0, bytes.length, 0)).toBe(bytes.length)
  return new TextDecoder().decode(bytes)
}

async function textOf(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read')
  const text = await readAll(file)
  await file.close()
  return text
}

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fanfare-disk-'))
})

afterEach(() => rm(root, { recursive: true }))

const disks: { name: string; make: () => Promise<Disk> }[] = [
  { name: 'openSystemDisk', make: () => openSystemDisk(join(root, 'a', 'b')) },
  { name: 'FaultDisk', make: () => Promise.resolve(new FaultDisk()) },
]

describe.each(disks)('$name', ({ make }) => {
  let disk: Disk

  beforeEach(async () => {
    disk = await make()
  })

  it('reads back what was written, at any position and through any part of a buffer', async () => {
    const file = await disk.open('log', 'create')
    const source = bytesOf('..hello world..')
    await file.write(source, 2, 13, 0)
    await file.write(bytesOf('W'), 0, 1, 6)
    const target = new Uint8Array(12).fill(46)
    expect(await file.read(target, 1, 6, 6)).toBe(5)
    expect(new TextDecoder().decode(target)).toBe('.World......')
    expect(await readAll(file)).toBe('hello World')
    await file.sync()
    await file.close()
  })

  it('reads fewer bytes at the end of a file, none beyond it, and zeros in a hole', async () => {
    const file = await disk.open('log', 'create')
    await file.write(bytesOf('ab'), 0, 2, 4)
    expect(await readAll(file)).toBe('\0\0\0\0ab')
    const target = new Uint8Array(8)
    expect(await file.read(target, 0, 8, 3)).toBe(3)
    expect(await file.read(target, 0, 8, 6)).toBe(0)
    expect(await file.read(target, 0, 8, 600)).toBe(0)
    await file.close()
  })

  it('cuts a file, and fills it with zeros when it grows again', async () => {
    await writeAll(disk, 'log', 'abcdef')
    const file = await disk.open('log', 'write')
    await file.truncate(2)
    expect(await file.size()).toBe(2)
    await file.truncate(4)
    expect(await readAll(file)).toBe('ab\0\0')
    await file.close()
  })

  it('creates only what is not there and opens only what is', async () => {
    await writeAll(disk, 'log', 'kept')
    const refused: [string, OpenMode][] = [
      ['log', 'create'],
      ['absent', 'read'],
      ['absent', 'write'],
      ['absent/log', 'create'],
    ]
    for (const [path, mode] of refused) {
      await expect(disk.open(path, mode)).rejects.toMatchObject({
        code: 'DISK_FAILED',
        details: { path, operation: 'open' },
      })
    }
    expect(await textOf(disk, 'log')).toBe('kept')
    expect(await disk.list('')).toEqual(['log'])
  })

  it('keeps reading and writing files of every purpose', async () => {
    for (const purpose of ['commit', 'read', 'background'] as const) {
      const file = await disk.open(purpose, 'create', purpose)
      const bytes = bytesOf(purpose)
      await Promise.all([...bytes].map((_, at) => file.write(bytes, at, at + 1, at)))
      expect(await readAll(file)).toBe(purpose)
      await file.close()
    }
  })

  it('refuses to write to a file that is open for reading', async () => {
    await writeAll(disk, 'log', 'kept')
    const file = await disk.open('log', 'read')
    await expect(file.write(bytesOf('x'), 0, 1, 0)).rejects.toMatchObject({ code: 'DISK_FAILED' })
    await expect(file.truncate(0)).rejects.toMatchObject({ code: 'DISK_FAILED' })
    expect(await readAll(file)).toBe('kept')
    await file.close()
  })

  it('lets what is under way end before a file is closed, and refuses what comes later', async () => {
    const file = await disk.open('log', 'create')
    const writes = [file.write(bytesOf('ab'), 0, 2, 0), file.write(bytesOf('cd'), 0, 2, 2)]
    await Promise.all([file.close(), file.close()])
    await Promise.all(writes)
    expect(await textOf(disk, 'log')).toBe('abcd')
    for (const call of [() => file.sync(), () => file.size(), () => file.truncate(0)]) {
      await expect(call()).rejects.toMatchObject({ code: 'CLOSED' })
    }
    await expect(file.read(new Uint8Array(1), 0, 1, 0)).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('lists names in order, of an absent directory none', async () => {
    for (const name of ['b', 'B', '10', '9', 'a.index']) await writeAll(disk, name, '')
    await disk.makeDirectory('a/inner')
    expect(await disk.list('')).toEqual(['10', '9', 'B', 'a', 'a.index', 'b'])
    expect(await disk.list('a')).toEqual(['inner'])
    expect(await disk.list('absent')).toEqual([])
  })

  it('makes directories with those above, and again', async () => {
    await disk.makeDirectory('a/b/c')
    await disk.makeDirectory('a/b/c')
    await disk.makeDirectory('')
    await writeAll(disk, 'a/b/c/log', 'x')
    expect(await disk.exists('a/b')).toBe(true)
    expect(await disk.exists('a/b/c/log')).toBe(true)
    expect(await disk.exists('a/x/c')).toBe(false)
    await disk.syncDirectory('a/b')
    await disk.syncDirectory('')
    await expect(disk.syncDirectory('absent')).rejects.toMatchObject({ code: 'DISK_FAILED' })
  })

  it('removes files and empty directories, and what is not there', async () => {
    await disk.makeDirectory('a')
    await writeAll(disk, 'a/log', 'x')
    await expect(disk.removeDirectory('a')).rejects.toMatchObject({ code: 'DISK_FAILED' })
    await disk.remove('a/log')
    await disk.remove('a/log')
    await disk.removeDirectory('a')
    await disk.removeDirectory('a')
    expect(await disk.exists('a')).toBe(false)
  })

  it('reads a file on that was removed while it was open', async () => {
    await writeAll(disk, 'log', 'still here')
    const file = await disk.open('log', 'read')
    await disk.remove('log')
    expect(await readAll(file)).toBe('still here')
    await file.close()
  })

  it('renames files, replacing one of the new name, and directories', async () => {
    await disk.makeDirectory('a')
    await writeAll(disk, 'a/new', 'new')
    await writeAll(disk, 'old', 'old')
    await disk.rename('a/new', 'old')
    expect(await textOf(disk, 'old')).toBe('new')
    await disk.rename('old', 'a/back')
    await disk.rename('a', 'b')
    expect(await textOf(disk, 'b/back')).toBe('new')
    expect(await disk.list('')).toEqual(['b'])
    await expect(disk.rename('absent', 'x')).rejects.toMatchObject({ code: 'DISK_FAILED' })
    await expect(disk.rename('b/back', 'absent/x')).rejects.toMatchObject({ code: 'DISK_FAILED' })
  })

  it('refuses every path that could leave the root or that some file system would not take', async () => {
    const paths = [
      '..',
      '../x',
      'a/../x',
      '/x',
      'a//b',
      'a/',
      '.',
      '.x',
      'x.',
      'a\\b',
      'a:b',
      'a b',
    ]
    for (const path of [...paths, 'é', 'a\0b', 'x'.repeat(256)]) {
      await expect(disk.open(path, 'create')).rejects.toMatchObject({ code: 'INTERNAL' })
      await expect(disk.rename('log', path)).rejects.toMatchObject({ code: 'INTERNAL' })
      await expect(disk.makeDirectory(path)).rejects.toMatchObject({ code: 'INTERNAL' })
      await expect(disk.list(path)).rejects.toMatchObject({ code: 'INTERNAL' })
    }
    await expect(disk.open('', 'create')).rejects.toMatchObject({ code: 'INTERNAL' })
  })

  it('computes the checksum of zlib, also in pieces', () => {
    const bytes = new Uint8Array(1000).map((_, i) => (i * 31) ^ (i >> 3))
    expect(disk.checksum(bytes, 10, 990)).toBe(crc32(bytes.subarray(10, 990)))
    expect(disk.checksum(bytes, 500, 990, disk.checksum(bytes, 10, 500))).toBe(
      disk.checksum(bytes, 10, 990),
    )
    expect(disk.checksum(bytes, 7, 7)).toBe(0)
  })
})

describe('openSystemDisk', () => {
  it('makes its root, keeps files under it, and finds them when it is opened again', async () => {
    const first = await openSystemDisk(join(root, 'a', 'b'))
    await first.makeDirectory('c')
    await writeAll(first, 'c/log', 'kept')
    expect(await readdir(join(root, 'a', 'b', 'c'))).toEqual(['log'])
    const second = await openSystemDisk(join(root, 'a', 'b'))
    expect(await textOf(second, 'c/log')).toBe('kept')
  })

  it('fails where a file is in the way', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(openSystemDisk(join(root, 'file', 'x'))).rejects.toMatchObject({
      code: 'DISK_FAILED',
      cause: { code: 'ENOTDIR' },
    })
    expect((await stat(join(root, 'file'))).isFile()).toBe(true)
  })

  it('says how much may still be written', async () => {
    expect(await (await openSystemDisk(root)).freeBytes()).toBeGreaterThan(0)
  })
})
