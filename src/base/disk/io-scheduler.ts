// Who may use the thread pool when. Node does its file calls on a pool of four threads that DNS and zlib share; without a
// bound, a few slow reads would hold all of them, and every commit behind. Reads take two at most, background work one,
// so that of four one is always left for commits, which never wait here.
import type { DiskPurpose } from '../disk.js'

class Lane {
  readonly #width: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(width: number) {
    this.#width = width
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#width) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      this.#passOn()
    }
  }

  /** Hands the place to the one that has waited longest, so that nobody can slip in between. */
  #passOn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }
}

export class IoScheduler {
  readonly #reads = new Lane(2)
  readonly #background = new Lane(1)

  /** Runs `work`, one file call, as soon as its purpose allows; first come, first served. */
  run<T>(purpose: DiskPurpose, work: () => Promise<T>): Promise<T> {
    switch (purpose) {
      case 'commit':
        return work()
      case 'read':
        return this.#reads.run(work)
      case 'background':
        return this.#background.run(work)
    }
  }
}
