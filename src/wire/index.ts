// Level 1: the NATS protocol as bytes, both ways. Knows no socket and no rule of what a topic may be. Everybody needs header blocks,
// which are here; the operations have a door of their own.
export {
  assertHeaderField,
  decodeHeaderBlock,
  findHeader,
  encodeHeaderBlock,
  type HeaderBlock,
} from './header-block.js'
