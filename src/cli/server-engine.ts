// The engine that `fanfare serve` runs on: with streams in a directory, or in memory.
import { EmbeddedEngine, openEmbeddedEngine } from '../embedded/index.js'
import type { Engine } from '../engine/index.js'
import type { StorageOptions } from './configuration/index.js'
import { toEventLine } from './engine-event-line.js'
import type { ServerLog } from './server-log.js'

/** Rejects with DIRECTORY_LOCKED, FORMAT_TOO_NEW, DISK_FULL, DISK_FAILED. */
export async function openServerEngine(storage: StorageOptions, log: ServerLog): Promise<Engine> {
  const engine = await open(storage, log)
  engine.onEvent((event) => {
    const line = toEventLine(event)
    if (line !== undefined) log(line.level, line.text)
  })
  return engine
}

async function open({ isEnabled, directory }: StorageOptions, log: ServerLog): Promise<Engine> {
  if (isEnabled === true && directory !== undefined) {
    const engine = await openEmbeddedEngine({ directory })
    const count = (await engine.durable?.streams())?.length ?? 0
    log('info', `Store directory is "${directory}", with ${count} stream${count === 1 ? '' : 's'}`)
    return engine
  }
  if (isEnabled === true) {
    log('warn', 'there is no store directory (-sd): nothing is stored')
  } else if (directory !== undefined) {
    log('warn', 'the store directory is not used without -js')
  }
  return new EmbeddedEngine()
}
