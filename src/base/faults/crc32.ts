// CRC-32 (IEEE 802.3) in plain JavaScript, for disks that have no zlib at hand: the same numbers, a tenth of the speed.

const TABLE = makeTable()

function makeTable(): Uint32Array {
  const table = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
    table[byte] = rest
  }
  return table
}

/** The checksum of `bytes[from, to)`, going on from `seed`, the checksum of what comes before. */
export function crc32(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  let rest = ~seed
  for (let i = from; i < to; i++) rest = TABLE[(rest ^ bytes[i]!) & 0xff]! ^ (rest >>> 8)
  return ~rest >>> 0
}
