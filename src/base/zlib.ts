// Node's zlib, found when it is first needed: decompressing happens within a call and so cannot wait for an import, and the
// library must load where there is no Node.

type Convert = (bytes: Uint8Array, options: object) => Uint8Array
type ConvertLater = (
  bytes: Uint8Array,
  options: object,
  done: (error: Error | null, made: Uint8Array) => void,
) => void

/** What is used of it; in terms of its own, so that programs without Node's types compile. */
export interface Zlib {
  readonly gunzipSync: Convert
  readonly gzipSync: Convert
  readonly gzip: ConvertLater
  readonly brotliCompressSync: Convert
  readonly brotliCompress: ConvertLater
  readonly constants: { readonly BROTLI_PARAM_QUALITY: number }
}

interface Host {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
}

/** Undefined where there is none, as in a browser. */
export function findZlib(): Zlib | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.('node:zlib') as Zlib | undefined
}
