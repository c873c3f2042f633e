// Bytes from the network as a string that stands for exactly those bytes: UTF-8 where it is UTF-8; otherwise every byte
// above 127 becomes a lone surrogate (U+DC00 + byte), which no valid text holds, so that two topics never share a name.

// A byte order mark is three bytes like any others here, not something to be stripped.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function decodeExactly(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte > 127) return decodeBeyondAscii(bytes, from, to)
    text += String.fromCharCode(byte)
  }
  return text
}

function decodeBeyondAscii(bytes: Uint8Array, from: number, to: number): string {
  try {
    return utf8.decode(bytes.subarray(from, to))
  } catch {
    let text = ''
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!
      text += String.fromCharCode(byte > 127 ? 0xdc00 + byte : byte)
    }
    return text
  }
}
