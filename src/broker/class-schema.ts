// A class in the schema's seat: what is received becomes an instance again, without its constructor, which wants arguments that
// a body does not have.
import type { SchemaIssue, StandardSchema } from './standard-schema.js'

/** A class whose instances travel: `fromJSON`, where it has one, makes an instance of what was received. */
export interface MessageClass<Instance = unknown> {
  new (...args: never[]): Instance
  readonly prototype: Instance
  fromJSON?(data: never): Instance
}

/**
 * Takes instances, and objects that hold an instance's fields. The prototype is kept, so methods, accessors and `instanceof`
 * work; the constructor and the initializers of fields are not run, so `#private` fields are missing unless `fromJSON` makes them.
 */
export function classSchema(Class: MessageClass): StandardSchema {
  const validate = (value: unknown): { value: unknown } | { issues: SchemaIssue[] } => {
    if (value instanceof Class) return { value }
    if (typeof Class.fromJSON === 'function') return revived(Class, value)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { value: restore(Class.prototype as object, value) }
    }
    return { issues: [{ message: `must be a ${Class.name} or an object with its fields` }] }
  }
  return { '~standard': { version: 1, vendor: 'fanfare', validate } }
}

function revived(
  Class: MessageClass,
  value: unknown,
): { value: unknown } | { issues: SchemaIssue[] } {
  try {
    return { value: Class.fromJSON!(value as never) }
  } catch (error) {
    return { issues: [{ message: error instanceof Error ? error.message : String(error) }] }
  }
}

function restore(prototype: object, fields: object): object {
  const instance = Object.create(prototype) as Record<string, unknown>
  for (const [name, value] of Object.entries(fields)) {
    // Never through a setter, nor through `__proto__`: a body sets fields and runs nothing.
    if (name in prototype) {
      Object.defineProperty(instance, name, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      })
    } else instance[name] = value
  }
  return instance
}
