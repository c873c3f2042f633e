// An error as one line for people: the code where there is one, then what happened.
import { FanfareError } from '../base/index.js'

export function toOneLine(error: unknown): string {
  if (FanfareError.is(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
