// Which messages of a stream a consumer or reader wants: by topic, which the log's index knows, and by content, for which each
// message is looked at.
import { BytesView, type BytesMessage, type ConsumerSettings } from '../engine/index.js'
import { Filter, toCanonical, type FilterPattern, type FilterView } from '../filter/index.js'
import { TopicFilter } from './topic-selection.js'

export class MessageSelection {
  readonly topics: TopicFilter
  readonly #filter: Filter | undefined

  /** Throws FILTER_INVALID. */
  constructor(topics: readonly string[], where: FilterPattern | undefined) {
    this.topics = new TopicFilter(topics)
    this.#filter = where === undefined ? undefined : new Filter(where)
  }

  /** Whether messages must be looked at. */
  get isByContent(): boolean {
    return this.#filter !== undefined
  }

  get matchesEverything(): boolean {
    return this.#filter === undefined && this.topics.matchesEverything
  }

  matches(message: BytesMessage): boolean {
    if (!this.topics.matches(message.handle.name)) return false
    return this.#filter === undefined || this.#filter.matches(new BytesView(message))
  }

  /** Whether a message on a topic that is wanted is wanted too. */
  admits(view: FilterView): boolean {
    return this.#filter === undefined || this.#filter.matches(view)
  }
}

/** Settings as they are kept and compared. Throws FILTER_INVALID. */
export function withCanonicalFilter(settings: ConsumerSettings): ConsumerSettings {
  if (settings.where === undefined) return settings
  return { ...settings, where: toCanonical(new Filter(settings.where).pattern) }
}
