// Where schemas are applied, and what comes of it.
import { FanfareError } from '../base/index.js'
import {
  describeIssues,
  type SchemaIssue,
  type SchemaResult,
  type StandardSchema,
} from './standard-schema.js'

/**
 * 'publish': data is checked before it is sent; receivers get it as it was decoded. 'receive': it is sent unchecked, and receivers
 * get what the schema makes of it. 'both': checked, and receivers get what the schema makes of it. 'none': the types are trusted.
 */
export type Validation = 'both' | 'publish' | 'receive' | 'none'

export const VALIDATIONS = ['both', 'publish', 'receive', 'none'] as const

/** Either end of a message's way. */
export type End = 'publish' | 'receive'

/** What a definition says of validation. */
interface Validated {
  readonly schema: StandardSchema | undefined
  readonly validate: Validation | undefined
}

/** Whether a definition's schema is applied at this end; `standard` is what the broker says. */
export function appliesAt(
  end: End,
  definition: Validated | undefined,
  standard: Validation,
): boolean {
  if (definition?.schema === undefined) return false
  const validation = definition.validate ?? standard
  return validation === 'both' || validation === end
}

/** The schema's output for `value`, or a promise of it. Throws or rejects with VALIDATION_FAILED. */
export function validate(
  schema: StandardSchema | undefined,
  value: unknown,
  topic: string,
): unknown {
  if (schema === undefined) return value
  const result = attempt(schema, value, topic)
  if (!isPromise(result)) return outputOf(result, topic)
  return result.then(
    (settled) => outputOf(settled, topic),
    (error: unknown) => {
      throw schemaFailed(topic, error)
    },
  )
}

/** The same where nobody can wait. Throws ASYNC_SCHEMA too. */
export function validateNow(
  schema: StandardSchema | undefined,
  value: unknown,
  topic: string,
  advice: string,
): unknown {
  const output = validate(schema, value, topic)
  if (!isPromise(output)) return output
  // Nobody will look at what comes of it.
  output.catch(() => undefined)
  throw new FanfareError(
    'ASYNC_SCHEMA',
    `the schema of ${topic} validates asynchronously; ${advice}`,
    { details: { topic } },
  )
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function'
}

function attempt(
  schema: StandardSchema,
  value: unknown,
  topic: string,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  try {
    return schema['~standard'].validate(value)
  } catch (error) {
    throw schemaFailed(topic, error)
  }
}

/** The standard has schemas answer with issues; one that throws all the same says as much. */
function schemaFailed(topic: string, cause: unknown): FanfareError {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new FanfareError('VALIDATION_FAILED', `${topic}: the schema failed: ${text}`, {
    details: { topic, issues: [{ message: text }] },
    cause,
  })
}

function outputOf(result: SchemaResult<unknown>, topic: string): unknown {
  if (result.issues === undefined) return result.value
  throw new FanfareError('VALIDATION_FAILED', `${topic}: ${describeIssues(result.issues)}`, {
    details: { topic, issues: result.issues.map(toPlainIssue) },
  })
}

/** Libraries have classes of issues; what is told, logged and compared is data. */
function toPlainIssue({ message, path }: SchemaIssue): SchemaIssue {
  return path === undefined ? { message } : { message, path: [...path] }
}
