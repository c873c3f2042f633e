// Level 1: message bodies as bytes and back.
export { decodeAttribute, encodeAttribute } from './attribute-text.js'
export { bytesCodec, decodeBody, encodeBody, jsonCodec, textCodec, type Codec } from './codec.js'
export { Codecs } from './codecs.js'
export type { CompressionAlgorithm, CompressionOptions, Compressor } from './compressor.js'
export { decompress, DEFAULT_MAX_INFLATED_BYTES } from './decompress.js'
export { openCompressor } from './open-compressor.js'
export { isStructured, pick, StructuredEvent } from './structured-event.js'
