// Whether a value is like a wanted one, and how values are shown.

/** Equal; or, for objects, with every field of `wanted` among its own, and so on downwards. Arrays are compared item by item. */
export function containsLike(value: unknown, wanted: unknown): boolean {
  if (Object.is(value, wanted)) return true
  if (typeof value !== 'object' || typeof wanted !== 'object') return false
  if (value === null || wanted === null) return false
  if (Array.isArray(wanted)) {
    if (!Array.isArray(value) || value.length !== wanted.length) return false
    return wanted.every((item, index) => containsLike(value[index], item))
  }
  if (wanted instanceof Date) return value instanceof Date && value.getTime() === wanted.getTime()
  if (wanted instanceof Uint8Array) {
    if (!(value instanceof Uint8Array) || value.length !== wanted.length) return false
    return wanted.every((byte, index) => value[index] === byte)
  }
  return Object.entries(wanted).every(
    ([field, like]) =>
      Object.hasOwn(value, field) && containsLike((value as Record<string, unknown>)[field], like),
  )
}

const LONGEST_SHOWN = 500

export function describeValue(value: unknown): string {
  const text = toText(value)
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}

function toText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  try {
    return (JSON.stringify(value) as string | undefined) ?? String(value)
  } catch {
    return String(value)
  }
}
