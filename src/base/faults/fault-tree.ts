// The directories of the FaultDisk: the names that a program sees, those that a loss of power could not take away, and
// the creations, renames and removals between. Each of these happens whole or not at all, also a rename between two
// directories; a file has one name before and after. None loses a file: a name that is taken over must have been left.
import type { Random } from '../random.js'
import { FaultFile } from './fault-file.js'

export type Entry = FaultFile | FaultDirectory

interface Place {
  readonly directory: FaultDirectory
  readonly name: string
}

/** A change of names that no sync of a directory has covered yet. */
interface NameChange {
  readonly entry: Entry
  readonly from: Place | undefined
  readonly to: Place | undefined
}

export class FaultDirectory {
  readonly seen = new Map<string, Entry>()
  readonly synced = new Map<string, Entry>()
}

export class FaultTree {
  readonly #root: FaultDirectory
  #pending: NameChange[] = []
  /** Where each entry would be found after a loss of power. */
  readonly #syncedPlaces = new Map<Entry, Place>()

  constructor(root = new FaultDirectory()) {
    this.#root = root
    this.#rememberPlaces(root)
  }

  #rememberPlaces(directory: FaultDirectory): void {
    for (const [name, entry] of directory.synced) {
      this.#syncedPlaces.set(entry, { directory, name })
      if (entry instanceof FaultDirectory) this.#rememberPlaces(entry)
    }
  }

  find(path: string): Entry | undefined {
    if (path === '') return this.#root
    let entry: Entry | undefined = this.#root
    for (const name of path.split('/')) {
      if (!(entry instanceof FaultDirectory)) return undefined
      entry = entry.seen.get(name)
    }
    return entry
  }

  /** The place that `path` names, or undefined when there is no directory for it. */
  placeOf(path: string): Place | undefined {
    const cut = path.lastIndexOf('/')
    const directory = this.find(path.slice(0, Math.max(0, cut)))
    return directory instanceof FaultDirectory
      ? { directory, name: path.slice(cut + 1) }
      : undefined
  }

  /** Every file, by path, in order. */
  *files(directory = this.#root, prefix = ''): Generator<[string, FaultFile]> {
    for (const name of [...directory.seen.keys()].sort()) {
      const entry = directory.seen.get(name)!
      if (entry instanceof FaultFile) yield [prefix + name, entry]
      else yield* this.files(entry, `${prefix}${name}/`)
    }
  }

  create(place: Place, entry: Entry): void {
    this.#change({ entry, from: undefined, to: place })
  }

  remove(place: Place): void {
    this.#change({ entry: place.directory.seen.get(place.name)!, from: place, to: undefined })
  }

  rename(from: Place, to: Place): void {
    this.#change({ entry: from.directory.seen.get(from.name)!, from, to })
  }

  #change(change: NameChange): void {
    const { entry, from, to } = change
    this.#pending.push(change)
    from?.directory.seen.delete(from.name)
    to?.directory.seen.set(to.name, entry)
  }

  syncDirectory(directory: FaultDirectory): void {
    for (const change of [...this.#pending]) {
      if (change.from?.directory === directory || change.to?.directory === directory) {
        this.#keep(change)
      }
    }
  }

  /** The tree as it is found after a loss of power. */
  afterPowerLoss(random: Random): FaultTree {
    for (const change of [...this.#pending]) if (random.nextUint32() & 1) this.#keep(change)
    return new FaultTree(afterPowerLoss(this.#root, random))
  }

  /** The same tree, everything in it synced. */
  copy(): FaultTree {
    return new FaultTree(copyDirectory(this.#root))
  }

  #keep(change: NameChange): void {
    const order = this.#pending.indexOf(change)
    // It was kept with another one that needs it.
    if (order < 0) return
    const { entry, to } = change
    for (const earlier of this.#pending.slice(0, order)) {
      if (this.#mustPrecede(earlier, change)) this.#keep(earlier)
    }
    this.#pending = this.#pending.filter((other) => other !== change)
    this.#leave(entry)
    if (to === undefined) return
    const replaced = to.directory.synced.get(to.name)
    if (replaced !== undefined) this.#leave(replaced)
    to.directory.synced.set(to.name, entry)
    this.#syncedPlaces.set(entry, to)
  }

  /** Whether `change` makes sense only after `earlier`: the same entry, the name it takes, or the directory it removes. */
  #mustPrecede(earlier: NameChange, change: NameChange): boolean {
    const { entry, to } = change
    if (earlier.entry === entry) return true
    if (to === undefined) return earlier.from?.directory === entry
    return earlier.entry === to.directory.synced.get(to.name) || isSamePlace(earlier.to, to)
  }

  #leave(entry: Entry): void {
    const place = this.#syncedPlaces.get(entry)
    if (place === undefined) return
    place.directory.synced.delete(place.name)
    this.#syncedPlaces.delete(entry)
  }
}

function isSamePlace(a: Place | undefined, b: Place): boolean {
  return a?.directory === b.directory && a.name === b.name
}

function afterPowerLoss(directory: FaultDirectory, random: Random): FaultDirectory {
  const found = new FaultDirectory()
  for (const [name, entry] of [...directory.synced].sort(byName)) {
    setSynced(found, name, afterPowerLossOf(entry, random))
  }
  return found
}

function afterPowerLossOf(entry: Entry, random: Random): Entry {
  return entry instanceof FaultFile ? entry.afterPowerLoss(random) : afterPowerLoss(entry, random)
}

function copyDirectory(directory: FaultDirectory): FaultDirectory {
  const copy = new FaultDirectory()
  for (const [name, entry] of directory.seen) {
    const isFile = entry instanceof FaultFile
    setSynced(copy, name, isFile ? FaultFile.of(entry.view()) : copyDirectory(entry))
  }
  return copy
}

function setSynced(directory: FaultDirectory, name: string, entry: Entry): void {
  directory.seen.set(name, entry)
  directory.synced.set(name, entry)
}

function byName([a]: [string, Entry], [b]: [string, Entry]): number {
  return a < b ? -1 : 1
}
