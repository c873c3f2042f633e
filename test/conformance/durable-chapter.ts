// A chapter of durable cases as the suite runs it: passed over where an engine has no streams, and held to the law after each.
import type { Chapter } from './case.js'
import { DurableStage, type DurableCase } from './durable-stage.js'

export function durableChapter(title: string, cases: readonly DurableCase[]): Chapter {
  return {
    title,
    cases: cases.map(({ name, needs, run }) => ({
      name,
      needs: (_capabilities, place) =>
        place.engine.durable !== undefined && (needs?.(place) ?? true),
      async run(stage) {
        const durableStage = new DurableStage(stage)
        await run(durableStage)
        durableStage.assertLawful()
      },
    })),
  }
}
