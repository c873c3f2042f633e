// Walks the settings of one block through a table of the keys it may have. Keys are found whatever their case, as in
// nats-server; one that nobody knows is an error unless a `$key` refers to it.
import { configurationError } from './syntax/index.js'
import type { Block, Place, Setting } from './syntax/index.js'

/** Something that is not as the author of the file may think, yet lets the server start. */
export interface ConfigurationWarning {
  readonly file: string
  readonly line: number
  readonly message: string
}

type Read<Target> = (setting: Setting, target: Target) => void

/** By key, in lower case. */
export type KeyTable<Target> = ReadonlyMap<string, Read<Target>>

/** A table from rows; the keys of one row mean the same. */
export function keyTable<Target>(
  rows: readonly (readonly [names: readonly string[], read: Read<Target>])[],
): KeyTable<Target> {
  return new Map(rows.flatMap(([names, read]) => names.map((name) => [name, read] as const)))
}

export interface Warnings {
  warn(place: Place, message: string): void
}

export function readKeys<Target extends Warnings>(
  block: Block,
  table: KeyTable<Target>,
  target: Target,
): void {
  for (const setting of block.values()) {
    const read = table.get(setting.key.toLowerCase())
    if (read === undefined) {
      if (setting.isVariable) continue
      throw configurationError(setting.place, `unknown key ${JSON.stringify(setting.key)}`)
    }
    if (setting.replaced !== undefined) {
      const { file, line } = setting.replaced
      target.warn(setting.place, `${setting.key} replaces the one at ${file}:${line}`)
    }
    read(setting, target)
  }
}

/** Reads nothing and refuses to go on: ignoring the key would let in, or let do, more than its author allowed. */
export function refuse(setting: Setting): never {
  throw configurationError(
    setting.place,
    `${setting.key} is not supported yet; refusing to start without it`,
  )
}
