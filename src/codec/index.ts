// Level 1: message bodies as bytes and back.
export { decodeAttribute, encodeAttribute } from './attribute-text.js'
export { bytesCodec, decodeBody, encodeBody, jsonCodec, textCodec, type Codec } from './codec.js'
export { Codecs, DEFAULT_MAX_INFLATED_BYTES } from './codecs.js'
export { isStructured, pick } from './content-type.js'
export type { CompressionAlgorithm, CompressionOptions, Compressor } from './compressor.js'
export { decompress } from './decompress.js'
export { openCompressor } from './open-compressor.js'
export { StructuredEvent } from './structured-event.js'
