// `--where`: a content pattern as JSON.
import type { Command } from 'commander'
import { FanfareError } from '../base/index.js'
import type { Where } from '../broker/index.js'

export interface WhereFlag {
  readonly where?: Where<unknown>
}

export function withWhereOption(command: Command): Command {
  return command.option(
    '--where <json>',
    `only data like this, such as '{"total":[{"numeric":[">",1000]}]}'`,
    toPattern,
  )
}

/** The flag as an option of the API. */
export function whereOf({ where }: WhereFlag): WhereFlag {
  return where === undefined ? {} : { where }
}

/** What is JSON is checked by the broker. */
function toPattern(text: string): Where<unknown> {
  try {
    return JSON.parse(text) as Where<unknown>
  } catch (error) {
    throw new FanfareError('OPTION_INVALID', `--where must be JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
