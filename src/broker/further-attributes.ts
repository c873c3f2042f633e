// The CloudEvents attributes that a message has no name for: as a publisher gives them, and as they are read.
import { FanfareError } from '../base/index.js'
import { decodeAttribute } from '../codec/index.js'
import type { MessageHeaders } from './message-headers.js'

/** Attributes that a message has under a name of its own. */
const NAMED = new Set(
  'id specversion type kind time datacontenttype data partitionkey correlationid causationid'.split(
    ' ',
  ),
)

/**
 * Attributes as a publisher gives them, checked: names are small letters and digits (CloudEvents, section 3.1). Throws
 * OPTION_INVALID for others, and for those that have an option of their own.
 */
export function toAttributes(
  given: Readonly<Record<string, string | number | boolean>>,
): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (NAMED.has(name) || name === 'source' || !/^[a-z0-9]+$/.test(name)) {
      throw new FanfareError(
        'OPTION_INVALID',
        `${JSON.stringify(name)} is no name for a further attribute: small letters and digits, and none of source, ${[...NAMED].join(', ')}`,
        { details: { option: 'attributes', name } },
      )
    }
    if (value !== undefined) attributes[name] = String(value)
  }
  return attributes
}

/** The attributes that have no name of their own on a message. */
export function readFurtherAttributes(headers: MessageHeaders): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [field, value] of headers) {
    const name = field.toLowerCase()
    if (name.startsWith('ce-') && isFurther(name.slice(3))) {
      attributes[name.slice(3)] ??= decodeAttribute(value)
    }
  }
  return attributes
}

export function isFurther(name: string): boolean {
  return !NAMED.has(name)
}
