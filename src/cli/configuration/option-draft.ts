// Options while a configuration is read into them. Two keys may lead to one option (`listen` and `port`, `user` and
// `username`): saying the same twice is fine, saying different things is an error, where nats-server takes either at
// random.
import type { Warnings } from './read-keys.js'
import { configurationError, type Place } from './syntax/index.js'

type Writable<Options> = { -readonly [Name in keyof Options]?: Options[Name] }

/** What is kept of the setting that gave a value. */
export interface Origin {
  readonly key: string
  readonly place: Place
}

export class OptionDraft<Options extends object> implements Warnings {
  readonly #warnings: Warnings
  readonly #options: Writable<Options> = {}
  readonly #origins = new Map<keyof Options, Origin>()

  constructor(warnings: Warnings) {
    this.#warnings = warnings
  }

  warn(place: Place, message: string): void {
    this.#warnings.warn(place, message)
  }

  /** The options so far; an option that was never set is absent. */
  get options(): Writable<Options> {
    return this.#options
  }

  set<Name extends keyof Options>(name: Name, value: Options[Name], origin: Origin): void {
    const before = this.#origins.get(name)
    if (before !== undefined && this.#options[name] !== value) {
      throw configurationError(
        origin.place,
        `${origin.key} contradicts ${before.key} on line ${before.place.line}`,
      )
    }
    this.#origins.set(name, origin)
    this.#options[name] = value
  }

  /** The setting that gave the option its value. */
  findOrigin(name: keyof Options): Origin | undefined {
    return this.#origins.get(name)
  }
}
