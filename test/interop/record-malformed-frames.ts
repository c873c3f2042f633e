// Rewrites the recorded answers inside malformed-frames.ts, leaving everything written by hand as it is. Used after a
// frame was added, or to move to a newer nats-server:
// FANFARE_RECORD=1 FANFARE_INTEROP=nats-server npx vitest run test/interop/malformed-frames.test.ts
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import ts from 'typescript'
import type { FrameAnswer } from './malformed-frames.js'

const tableFile = fileURLToPath(new URL('malformed-frames.ts', import.meta.url))

export const isRecording = process.env.FANFARE_RECORD !== undefined

export async function recordAnswers(answers: ReadonlyMap<string, FrameAnswer>): Promise<void> {
  const source = await readFile(tableFile, 'utf8')
  const edits: { start: number; end: number; text: string }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const name = findProperty(node, 'name')
      const expected = findProperty(node, 'expected')
      const answer =
        name && ts.isStringLiteral(name.initializer) && answers.get(name.initializer.text)
      if (expected && answer) {
        edits.push({ start: expected.getStart(), end: expected.end, text: expectedText(answer) })
        return
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(tableFile, source, ts.ScriptTarget.ES2022, true))

  let rewritten = source
  for (const { start, end, text } of edits.reverse()) {
    rewritten = rewritten.slice(0, start) + text + rewritten.slice(end)
  }
  const style = await resolveConfig(tableFile)
  await writeFile(tableFile, await format(rewritten, { ...style, filepath: tableFile }))
}

function findProperty(
  literal: ts.ObjectLiteralExpression,
  name: string,
): ts.PropertyAssignment | undefined {
  return literal.properties
    .filter(ts.isPropertyAssignment)
    .find((property) => property.name.getText() === name)
}

function expectedText({ answer, closed }: FrameAnswer): string {
  return `expected: { answer: ${quoted(answer)}, closed: ${closed} }`
}

/** JSON escapes control characters, except DEL and above, which would be invisible in the table. */
function quoted(bytes: string): string {
  return JSON.stringify(bytes).replace(
    /[\x7f-\xff]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16)}`,
  )
}
