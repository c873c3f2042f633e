// A CloudEvent in structured mode: attributes and data together in one JSON document (CloudEvents 1.0.2, JSON event format), as
// the NATS binding allows beside the binary mode that we write.
import { FanfareError } from '../base/index.js'
import { decodeBody, jsonCodec, type Codec } from './codec.js'
import { mediaTypeOf } from './codec-registry.js'
import type { Codecs } from './codecs.js'
import { pick, STRUCTURED } from './content-type.js'

const JSON_FORMAT = `${STRUCTURED}+json`

const encoder = new TextEncoder()

export class StructuredEvent {
  readonly #members: Readonly<Record<string, unknown>>

  private constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members
  }

  /** Throws DECODE_FAILED for what is no event, and for formats other than JSON. */
  static parse(body: Uint8Array, contentType: string): StructuredEvent {
    const mediaType = mediaTypeOf(contentType)
    if (mediaType !== JSON_FORMAT && mediaType !== STRUCTURED) {
      throw new FanfareError(
        'DECODE_FAILED',
        `of CloudEvents only the JSON format is read, not ${mediaType}`,
        {
          details: { contentType },
        },
      )
    }
    const members = jsonCodec.decode(body)
    if (typeof members === 'object' && members !== null && !Array.isArray(members)) {
      return new StructuredEvent(members as Record<string, unknown>)
    }
    throw new FanfareError('DECODE_FAILED', `the body is not one CloudEvent`, {
      details: { contentType },
    })
  }

  /** Text as it stands; a number or a truth value in its canonical form. */
  attribute(name: string): string | undefined {
    const value = Object.hasOwn(this.#members, name) ? this.#members[name] : undefined
    return value === undefined || value === null || typeof value === 'object'
      ? undefined
      : String(value as string | number | boolean)
  }

  /** The names of its attributes. */
  get names(): string[] {
    return Object.keys(this.#members).filter((name) => name !== 'data' && name !== 'data_base64')
  }

  /** `own`: the codec that counts before those in `codecs`. Throws DECODE_FAILED. */
  decodeData(codecs: Codecs, own: Codec | undefined): unknown {
    const contentType = this.attribute('datacontenttype') ?? jsonCodec.contentType
    const base64 = this.#members.data_base64
    if (typeof base64 === 'string') {
      return decodeBody(pick(contentType, codecs, own), fromBase64(base64))
    }
    const { data } = this.#members
    const isJson = /[/+]json$/.test(mediaTypeOf(contentType))
    if (isJson || data === undefined) return data
    if (typeof data === 'string') {
      return decodeBody(pick(contentType, codecs, own), encoder.encode(data))
    }
    throw new FanfareError(
      'DECODE_FAILED',
      `data of ${contentType} must be a text in a JSON document`,
      {
        details: { contentType },
      },
    )
  }
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))
  } catch (error) {
    throw new FanfareError('DECODE_FAILED', 'data_base64 is not Base64', { cause: error })
  }
}
