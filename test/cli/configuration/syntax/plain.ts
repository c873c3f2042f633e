// A value tree as plain values, to compare with; a float keeps its kind.
import type { Block, Content } from '../../../../src/cli/configuration/syntax/index.js'

export function plain(block: Block): Record<string, unknown> {
  return Object.fromEntries([...block].map(([key, { content }]) => [key, plainContent(content)]))
}

function plainContent(content: Content): unknown {
  switch (content.kind) {
    case 'string':
      return content.text
    case 'integer':
      return content.number
    case 'float':
      return { float: content.number }
    case 'boolean':
      return content.isTrue
    case 'datetime':
      return content.date
    case 'array':
      return content.elements.map((element) => plainContent(element.content))
    case 'block':
      return plain(content.settings)
  }
}
