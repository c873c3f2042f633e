// When a consumer has to be looked at again although nobody calls: a wait is over, a retry is due, a pause ends; or it ends
// itself because nobody has joined for long.
import type { Alarm } from '../base/index.js'
import type { StreamSite } from './stream-site.js'

export class ConsumerAlarms {
  readonly #site: StreamSite
  readonly #rings: () => void
  #alarm: Alarm | undefined
  #atMs = Infinity
  #inactivity: Alarm | undefined

  /** `rings` is called at the moment that `arm` was told, or before it. */
  constructor(site: StreamSite, rings: () => void) {
    this.#site = site
    this.#rings = rings
  }

  /**
   * Rings not later than `atMs`. An earlier alarm is left as it is: most waits never end, as a verdict comes first, and to set
   * the alarm anew for each message would cost more than to ring once in vain.
   */
  arm(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.#site.alarms.cancel(this.#alarm)
    this.#atMs = atMs
    this.#alarm = this.#site.alarms.set(Math.max(0, atMs - this.#site.clock.nowMs()), () => {
      this.#alarm = undefined
      this.#atMs = Infinity
      this.#rings()
    })
  }

  /** Calls `end` unless it is told otherwise within that time; 0: never. */
  watchInactivity(afterMs: number, end: () => void): void {
    this.#site.alarms.cancel(this.#inactivity)
    this.#inactivity = afterMs === 0 ? undefined : this.#site.alarms.set(afterMs, end)
  }

  close(): void {
    this.#site.alarms.cancel(this.#alarm)
    this.#site.alarms.cancel(this.#inactivity)
    this.#alarm = this.#inactivity = undefined
  }
}
