// Blocks of internet addresses in CIDR notation. An address of IPv4 is never in a block of IPv6, nor the other way round.

export interface AddressBlock {
  /** The address in pieces of 16 bits: two for IPv4, eight for IPv6. */
  readonly address: readonly number[]
  /** Leading bits that must agree. */
  readonly bits: number
}

/** Undefined for what is no block. */
export function readAddressBlock(text: string): AddressBlock | undefined {
  const match = /^([^/]*)\/(\d{1,3})$/.exec(text)
  const address = match === null ? undefined : readAddress(match[1]!)
  const bits = Number(match?.[2])
  return address === undefined || bits > address.length * 16 ? undefined : { address, bits }
}

export function isInBlock({ address, bits }: AddressBlock, text: string): boolean {
  const other = readAddress(text)
  if (other?.length !== address.length) return false
  return address.every((piece, i) => {
    const compared = Math.min(16, Math.max(0, bits - i * 16))
    return (piece ^ other[i]!) >> (16 - compared) === 0
  })
}

/** Longer texts are no addresses. */
const LONGEST_ADDRESS = 45

function readAddress(text: string): number[] | undefined {
  if (text.length > LONGEST_ADDRESS) return undefined
  return text.includes(':') ? readVersion6(text) : readVersion4(text)
}

function readVersion4(text: string): number[] | undefined {
  const octets = text.split('.').map((octet) => (/^\d{1,3}$/.test(octet) ? Number(octet) : 256))
  if (octets.length !== 4 || octets.some((octet) => octet > 255)) return undefined
  return [octets[0]! * 256 + octets[1]!, octets[2]! * 256 + octets[3]!]
}

function readVersion6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(readPieces)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  if (tail === undefined) return head.length === 8 ? head : undefined
  const missing = 8 - head.length - tail.length
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail]
}

/** Pieces with colons between; the last may be an address of IPv4. */
function readPieces(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const pieces: number[] = []
  for (const [i, part] of parts.entries()) {
    const version4 = i === parts.length - 1 && part.includes('.') ? readVersion4(part) : undefined
    if (version4 !== undefined) pieces.push(...version4)
    else if (/^[\da-f]{1,4}$/i.test(part)) pieces.push(parseInt(part, 16))
    else return undefined
  }
  return pieces
}
