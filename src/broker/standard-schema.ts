// The part of Standard Schema 1 (standardschema.dev) that is used: what Zod, Valibot, ArkType and others implement.

export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A text of an issue may quote the data, and data may be wrong in a thousand places. */
const MOST_ISSUES_DESCRIBED = 10

/** One line for the issues, each with the path that it concerns. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  const described = issues.slice(0, MOST_ISSUES_DESCRIBED).map(({ message, path = [] }) => {
    const place = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
    return place === '' ? message : `${place}: ${message}`
  })
  const more = issues.length - described.length
  if (more > 0) described.push(`and ${more} more`)
  return described.join('; ')
}
