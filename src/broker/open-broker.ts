// Opens a broker where the options say: in this process, or on a server or cluster by its URL.
import { FanfareError, systemClock } from '../base/index.js'
import {
  DEFAULT_MAX_INFLATED_BYTES,
  jsonCodec,
  type Codec,
  type CompressionAlgorithm,
  type CompressionOptions,
} from '../codec/index.js'
import { EmbeddedEngine, openEmbeddedEngine } from '../embedded/index.js'
import type { Engine } from '../engine/index.js'
import { loadedParts, loadParts } from './load-parts.js'
import { Broker } from './broker.js'
import type { BrokerEvent } from './broker-event.js'
import type { Catalog } from './declared.js'
import type { CauseStorage } from './message-context.js'
import { oneOf, optionInvalid, refuseUnknownOptions, wholeNumber } from './option-checks.js'
import { VALIDATIONS, type Validation } from './validation.js'

export interface BrokerOptions<C extends Catalog | undefined = Catalog | undefined> {
  /** The definitions that are allowed; without it every topic is. */
  readonly catalog?: C
  /** Where the schemas of definitions are applied that do not say; default 'both'. */
  readonly validate?: Validation
  /** Where streams are kept, inside this process; made when it is not there. Absent: streams are kept in memory. */
  readonly directory?: string
  /** A Fanfare or NATS server, or several of one cluster: 'nats://localhost:4222'. Absent: inside this process. */
  readonly url?: string | readonly string[]
  /** Credentials and name for `url`. */
  readonly connection?: ConnectionOptions
  /** An engine of your own making instead; the broker closes it. */
  readonly engine?: Engine
  /** How bodies are written, and read where they do not say what they are; default JSON. */
  readonly codec?: Codec
  /** Further codecs to read with, chosen by the content type of a message. JSON, text and bytes are always known. */
  readonly codecs?: readonly Codec[]
  /**
   * Compresses bodies of `threshold` bytes (default 1,024) and more, where that makes them smaller. Default: none are.
   * Compressed ones are read whatever is set here.
   */
  readonly compression?: CompressionAlgorithm | CompressionOptions
  /** What a compressed body may inflate to, in bytes; default 16 MiB. Reading the data of a larger one is PAYLOAD_TOO_LARGE. */
  readonly maxInflatedBytes?: number
  /** What `ce-source` says of messages from here, a URI reference; default '/fanfare'. */
  readonly source?: string
  /**
   * Makes the message that is being handled the `cause` of all that is sent meanwhile: an `AsyncLocalStorage<Message>` of
   * Node's `node:async_hooks`. Default: none, and `cause` is given by hand.
   */
  readonly causes?: CauseStorage
  /** Told what happens outside any call; default: trouble is printed, each kind at most once in 10 s. */
  readonly onEvent?: (event: BrokerEvent) => void
}

export interface ConnectionOptions {
  readonly user?: string
  readonly password?: string
  readonly token?: string
  /** Shown in the server's connection list. */
  readonly name?: string
}

const BROKER_OPTIONS: ReadonlySet<string> = new Set<keyof BrokerOptions>([
  'catalog',
  'directory',
  'url',
  'connection',
  'engine',
  'codec',
  'codecs',
  'compression',
  'maxInflatedBytes',
  'source',
  'causes',
  'validate',
  'onEvent',
])
const CONNECTION_OPTIONS: ReadonlySet<string> = new Set<keyof ConnectionOptions>([
  'user',
  'password',
  'token',
  'name',
])

/**
 * Opens a broker. Rejects with DIRECTORY_LOCKED, FORMAT_TOO_NEW, DISK_FAILED when `directory` cannot be used, and with CONNECTION_FAILED, AUTHORIZATION_FAILED, or PEER_MISSING when `url` is given and the
 * optional package for it is not installed.
 *
 * @example const broker = await openBroker()
 */
export async function openBroker<const C extends Catalog | undefined = undefined>(
  options: BrokerOptions<C> = {},
): Promise<Broker<C>> {
  refuseUnknownOptions('openBroker', options, BROKER_OPTIONS)
  refuseUnknownOptions('connection', options.connection, CONNECTION_OPTIONS)
  const { catalog, validate = 'both' } = options
  oneOf('validate', validate, VALIDATIONS)
  if (catalog !== undefined && !Array.isArray(catalog)) {
    throw optionInvalid('catalog', catalog, 'a list of definitions')
  }
  const { codec = jsonCodec, codecs = [], maxInflatedBytes = DEFAULT_MAX_INFLATED_BYTES } = options
  for (const each of [codec, ...codecs]) assertCodec(each)
  wholeNumber('maxInflatedBytes', maxInflatedBytes, 1)
  await loadParts()
  const { compression } = options
  const compressor =
    compression === undefined
      ? undefined
      : await loadedParts().toCompressor(compression, maxInflatedBytes)
  const broker = new Broker<C>({
    engine: await openEngine(options),
    clock: systemClock,
    codec,
    codecs,
    compressor,
    maxInflatedBytes,
    source: options.source,
    causes: options.causes,
    catalog,
    validate,
    onEvent: options.onEvent,
  })
  return broker.prepare()
}

async function openEngine({
  directory,
  engine,
  url,
  connection = {},
}: BrokerOptions): Promise<Engine> {
  const places = [directory, engine, url].filter((place) => place !== undefined)
  if (places.length > 1) {
    throw new FanfareError(
      'OPTION_INVALID',
      'give openBroker one of directory, url and engine, not several',
    )
  }
  if (engine !== undefined) return engine
  if (directory !== undefined) return openEmbeddedEngine({ directory: checkedDirectory(directory) })
  const servers = typeof url === 'string' ? [url] : url
  if (servers === undefined) return new EmbeddedEngine()
  if (servers.length === 0 || servers.includes('')) {
    throw new FanfareError(
      'OPTION_INVALID',
      'url is empty; leave it out for a broker inside this process',
    )
  }
  // Loaded when asked for: an embedded broker carries no network code.
  const { openClusterEngine } = await import('../cluster/index.js')
  return openClusterEngine({ ...connection, servers })
}

function checkedDirectory(directory: unknown): string {
  if (typeof directory === 'string' && directory !== '') return directory
  throw optionInvalid('directory', directory, 'a path')
}

function assertCodec(codec: unknown): void {
  const { contentType, encode, decode } = (codec ?? {}) as Partial<Codec>
  const isCodec =
    typeof contentType === 'string' && typeof encode === 'function' && typeof decode === 'function'
  if (!isCodec) throw optionInvalid('codec', codec, '{ contentType, encode, decode }')
}
