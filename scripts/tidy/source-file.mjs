// What one TypeScript file says about itself, read from its syntax alone: imports, names, uses of globals, functions.
import ts from 'typescript'
import { findUses } from './global-uses.mjs'

export function readSourceFile(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const file = {
    path,
    lineCount: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    hasHeader: hasHeader(text),
    /** `kind` is 'value', 'type' (erased by the compiler) or 'lazy'; only lazy ones may lack a `specifier`. */
    imports: [],
    /** Every identifier, wherever it stands. */
    names: [],
    /** Uses of what is global or comes from a Node module. */
    uses: findUses(source),
    functions: [],
  }
  const lineOf = (node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1

  const visit = (node) => {
    const line = lineOf(node)
    const found = findImport(node)
    if (found !== undefined) file.imports.push({ ...found, line })
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      file.names.push({ name: node.text, line })
    }
    if (ts.isFunctionLike(node) && node.body !== undefined) {
      const end = source.getLineAndCharacterOfPosition(node.getEnd()).line + 1
      file.functions.push({ name: functionName(node), line, lineCount: end - line + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return file
}

/** Whether the file opens with a comment in words; a line for the linter or the compiler is none. */
function hasHeader(text) {
  const start = ts.getShebang(text)?.length ?? 0
  const [first] = ts.getLeadingCommentRanges(text, start) ?? []
  if (first === undefined) return false
  const comment = text.slice(first.pos, first.end)
  return !/^\/[/*]+\s*(eslint|@ts-|prettier-|#)/.test(comment) && /\w/.test(comment)
}

function findImport(node) {
  if (ts.isImportDeclaration(node)) {
    // Kept by the compiler even when every name in the braces is a type: only `import type` is erased.
    const isErased = node.importClause?.isTypeOnly === true
    return { specifier: node.moduleSpecifier.text, kind: isErased ? 'type' : 'value' }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: node.moduleSpecifier.text, kind: node.isTypeOnly ? 'type' : 'value' }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: node.argument.literal.text, kind: 'type' }
  }
  if (isCallOfImport(node)) {
    const [specifier] = node.arguments
    return {
      specifier: ts.isStringLiteralLike(specifier) ? specifier.text : undefined,
      kind: 'lazy',
    }
  }
  // new URL('./worker.js', import.meta.url): how a file is named that a worker will load.
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
    const [path, base] = node.arguments ?? []
    const isModule = base?.getText() === 'import.meta.url' && ts.isStringLiteralLike(path)
    if (isModule && /^\.\.?\/.*\.[cm]?[jt]s$/.test(path.text)) {
      return { specifier: path.text, kind: 'lazy' }
    }
  }
  return undefined
}

function isCallOfImport(node) {
  return (
    ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword &&
    node.arguments.length > 0
  )
}

function functionName(node) {
  if (ts.isConstructorDeclaration(node)) return `${node.parent.name?.text ?? 'class'}.constructor`
  if (node.name !== undefined) {
    const owner = ts.isClassLike(node.parent) ? `${node.parent.name?.text ?? 'class'}.` : ''
    return owner + node.name.getText()
  }
  return node.parent.name?.getText() ?? 'a function without a name'
}
