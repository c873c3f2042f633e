// Reads what strace wrote: each system call with where it began and ended among all others, as several threads make them.

export interface SystemCall {
  readonly name: string
  /** The arguments as printed; files by number and path: `17</a/b>`. */
  readonly text: string
  readonly result: string
  /** Line numbers. What began later than another ended came after it. */
  readonly beganAt: number
  readonly endedAt: number
}

const BEGUN = /^(\d+) +(\w+)\((.*)$/
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/
const UNFINISHED = / *<unfinished \.\.\.>$/

export function readSystemCalls(trace: string): SystemCall[] {
  const calls: SystemCall[] = []
  const underWay = new Map<string, { readonly text: string; readonly beganAt: number }>()
  trace.split('\n').forEach((line, at) => {
    const resumed = RESUMED.exec(line)
    if (resumed !== null) {
      const [, thread, name, rest] = resumed as unknown as [string, string, string, string]
      const begun = underWay.get(thread)
      underWay.delete(thread)
      if (begun !== undefined) calls.push(finish(name, begun.text + rest, begun.beganAt, at))
      return
    }
    const begun = BEGUN.exec(line)
    if (begun === null) return
    const [, thread, name, text] = begun as unknown as [string, string, string, string]
    if (UNFINISHED.test(text)) {
      underWay.set(thread, { text: text.replace(UNFINISHED, ''), beganAt: at })
    } else calls.push(finish(name, text, at, at))
  })
  return calls
}

function finish(name: string, text: string, beganAt: number, endedAt: number): SystemCall {
  // Behind the arguments of a call that was resumed, strace fills up to a column.
  const end = /\) += (?!.*\) += )/s.exec(text)
  if (end === null) return { name, text, result: '', beganAt, endedAt }
  const result = text.slice(end.index + end[0].length).trim()
  return { name, text: text.slice(0, end.index), result, beganAt, endedAt }
}

/** The path of the file that a call is about, as strace's -y prints it. */
export function pathOfCall({ text }: SystemCall): string | undefined {
  return /^\d+<([^>]*)>/.exec(text)?.[1]
}
