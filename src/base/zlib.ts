// Node's zlib, found when it is first needed: decompressing happens within a call and so cannot wait for an import, and the
// library must load where there is no Node.
import type * as zlib from 'node:zlib'

export type Zlib = typeof zlib

interface Host {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
}

/** Undefined where there is none, as in a browser. */
export function findZlib(): Zlib | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.('node:zlib') as Zlib | undefined
}
