// One setting, read as the type that its key asks for. A wrong type or a number out of range is CONFIG_INVALID with the
// line; the value is shown, except that of a secret.
import type { FanfareError } from '../../base/index.js'
import { configurationError } from './syntax/index.js'
import type { Block, ConfigurationValue, Content, Place, Setting } from './syntax/index.js'
import { readDuration } from './read-duration.js'

export interface Range {
  readonly least: number
  readonly most: number
}

export interface Address {
  readonly host: string | undefined
  readonly port: number
}

const ADDRESS = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([+-]?\d+)$/
/** -1 is "any free port", as in nats-server. */
const PORTS: Range = { least: -1, most: 65_535 }
const SHOWN_CHARACTERS = 60

export class TypedSetting {
  readonly key: string
  readonly place: Place
  readonly #content: Content
  readonly #isSecret: boolean

  constructor(setting: Setting, options: { readonly isSecret?: boolean } = {}) {
    this.key = setting.key
    this.place = setting.place
    this.#content = setting.content
    this.#isSecret = options.isSecret ?? false
  }

  get content(): Content {
    return this.#content
  }

  /** The error that says what the setting must be instead. */
  mustBe(wanted: string): FanfareError {
    const shown = this.#isSecret ? '' : `, not ${describe(this.#content)}`
    return configurationError(this.place, `${this.key} must be ${wanted}${shown}`)
  }

  fault(fault: string): FanfareError {
    return configurationError(this.place, fault)
  }

  string(): string {
    if (this.#content.kind === 'string') return this.#content.text
    throw this.mustBe('a string (put it in quotes)')
  }

  boolean(): boolean {
    if (this.#content.kind === 'boolean') return this.#content.isTrue
    throw this.mustBe('true or false')
  }

  integer(range: Range): number {
    if (this.#content.kind !== 'integer') throw this.mustBe('a whole number')
    const { number } = this.#content
    if (number < range.least || number > range.most) {
      throw this.mustBe(`from ${range.least} to ${range.most}`)
    }
    return number
  }

  port(): number {
    return this.integer(PORTS)
  }

  /** A port, or "host:port" with an IPv6 host in brackets; an empty host is undefined. */
  address(): Address {
    if (this.#content.kind === 'integer') return { host: undefined, port: this.port() }
    if (this.#content.kind !== 'string') throw this.mustBe('a port or "host:port"')
    const match = ADDRESS.exec(this.#content.text)
    const port = Number(match?.[3])
    if (match === null || port < PORTS.least || port > PORTS.most) {
      throw this.mustBe('a port or "host:port"')
    }
    const host = match[1] ?? match[2] ?? ''
    return { host: host === '' ? undefined : host, port }
  }

  /** Milliseconds of a duration in quotes, zero or more. */
  durationMs(): number {
    const durationMs = this.signedDurationMs()
    if (durationMs < 0) throw this.mustBe('zero or more')
    return durationMs
  }

  /** As `durationMs`, for keys to which nats-server gives a meaning for negative durations. */
  signedDurationMs(): number {
    const durationMs =
      this.#content.kind === 'string' ? readDuration(this.#content.text) : undefined
    if (durationMs === undefined) throw this.mustBe('a duration such as "2s", "5m" or "1h30m"')
    return durationMs
  }

  block(): Block {
    if (this.#content.kind === 'block') return this.#content.settings
    throw this.mustBe('a block { … }')
  }

  array(): readonly ConfigurationValue[] {
    if (this.#content.kind === 'array') return this.#content.elements
    throw this.mustBe('an array [ … ]')
  }
}

function describe(content: Content): string {
  switch (content.kind) {
    case 'string':
      return content.text.length > SHOWN_CHARACTERS
        ? `${JSON.stringify(content.text.slice(0, SHOWN_CHARACTERS))}…`
        : JSON.stringify(content.text)
    case 'integer':
    case 'float':
      return String(content.number)
    case 'boolean':
      return String(content.isTrue)
    case 'datetime':
      return content.date.toISOString()
    case 'array':
      return 'an array'
    case 'block':
      return 'a block'
  }
}
