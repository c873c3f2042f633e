// Topics with parameters: `price.{symbol}` is published to as `price.AAPL` and subscribed to as `price.*`.
import { FanfareError } from '../base/index.js'
import { assertPattern, assertTopic } from '../topic/index.js'

/** The parameters of a template, from its text: `'price.{symbol}'` has `{ symbol: string }`. */
export type ParametersOf<Template extends string> = string extends Template
  ? Record<string, string>
  : { readonly [Name in ParameterNames<Template>]: string }

type ParameterNames<Template extends string> = Template extends `${infer Head}.${infer Rest}`
  ? ParameterName<Head> | ParameterNames<Rest>
  : ParameterName<Template>

type ParameterName<Token extends string> = Token extends `{${infer Name}}` ? Name : never

export class TopicTemplate {
  readonly text: string
  /** What matches every topic of the template. */
  readonly pattern: string
  /** The tokens that are no parameters: what its messages are, whatever the topic. */
  readonly type: string
  readonly #tokens: readonly string[]
  readonly #places: ReadonlyMap<string, number>

  /** Throws DEFINITION_INVALID for a malformed parameter or one named twice. */
  constructor(text: string) {
    this.text = text
    this.#tokens = text.split('.')
    const places = new Map<string, number>()
    this.#tokens.forEach((token, place) => {
      const name = /^\{([A-Za-z_]\w*)\}$/.exec(token)?.[1]
      if (name === undefined) {
        if (/[{}*>]/.test(token)) throw invalid(text, `token ${JSON.stringify(token)}`)
        return
      }
      if (name === '__proto__') throw invalid(text, 'a parameter cannot be called __proto__')
      if (places.has(name)) throw invalid(text, `parameter ${name} comes twice`)
      places.set(name, place)
    })
    this.#places = places
    this.pattern = this.#tokens.map((token) => (token.startsWith('{') ? '*' : token)).join('.')
    this.type = this.#tokens.filter((token) => !token.startsWith('{')).join('.')
    assertPattern(this.pattern)
  }

  get hasParameters(): boolean {
    return this.#places.size > 0
  }

  /** The topic with these parameters. Throws TOPIC_INVALID when one is missing or is not one token. */
  fill(parameters: Readonly<Record<string, string | number>> = {}): string {
    if (!this.hasParameters) return this.text
    const tokens = [...this.#tokens]
    for (const [name, place] of this.#places) {
      const value = parameters[name]
      const token = value === undefined ? '' : String(value)
      if (token === '' || token.includes('.')) {
        throw new FanfareError(
          'TOPIC_INVALID',
          `parameter ${name} of ${JSON.stringify(this.text)} must be one token, not ${JSON.stringify(value)}`,
          { details: { template: this.text, parameter: name, value } },
        )
      }
      tokens[place] = token
    }
    const topic = tokens.join('.')
    assertTopic(topic)
    return topic
  }

  /** The parameters in a topic of this template. */
  read(topic: string): Record<string, string> {
    const parameters: Record<string, string> = {}
    if (!this.hasParameters) return parameters
    const tokens = topic.split('.')
    for (const [name, place] of this.#places) parameters[name] = tokens[place] ?? ''
    return parameters
  }
}

function invalid(template: string, fault: string): FanfareError {
  return new FanfareError(
    'DEFINITION_INVALID',
    `invalid topic template ${JSON.stringify(template)}: ${fault}`,
    { details: { template } },
  )
}
