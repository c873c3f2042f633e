// Level 1: message bodies as bytes and back.
export { bytesCodec, jsonCodec, textCodec, type Codec } from './codec.js'
