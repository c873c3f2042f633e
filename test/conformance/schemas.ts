// Hand-written Standard Schemas, just enough for the cases.
import type { StandardSchema } from '../../src/broker/index.js'

interface TypeNames {
  number: number
  string: string
}

type Shape = Readonly<Record<string, keyof TypeNames>>
type Shaped<S extends Shape> = { -readonly [Name in keyof S]: TypeNames[S[Name]] }

/** An object whose fields have these types. */
export function shapeOf<const S extends Shape>(shape: S): StandardSchema<Shaped<S>> {
  return {
    '~standard': {
      version: 1,
      vendor: 'conformance',
      validate(value) {
        if (typeof value !== 'object' || value === null) {
          return { issues: [{ message: 'must be an object' }] }
        }
        const fields = value as Record<string, unknown>
        const issues = Object.entries(shape)
          .filter(([name, type]) => typeof fields[name] !== type)
          .map(([name, type]) => ({ message: `must be a ${type}`, path: [name] }))
        return issues.length > 0 ? { issues } : { value: value as Shaped<S> }
      },
    },
  }
}

export const isNumberSchema: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) =>
      typeof value === 'number' ? { value } : { issues: [{ message: 'must be a number' }] },
  },
}

/** Takes a text and makes its length of it. */
export const textLengthSchema: StandardSchema<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) =>
      typeof value === 'string'
        ? { value: value.length }
        : { issues: [{ message: 'must be a text' }] },
  },
}
