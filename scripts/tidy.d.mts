// What the tests see of tidy.mjs.
export declare function tidy(root: string): {
  readonly violations: readonly string[]
  readonly notes: readonly string[]
}
