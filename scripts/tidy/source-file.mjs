// What one TypeScript file says about itself, read from its syntax alone: imports, names, uses of globals, functions.
import ts from 'typescript'

const GLOBAL_OBJECTS = new Set(['globalThis', 'global', 'window', 'self'])

export function readSourceFile(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const file = {
    path,
    lineCount: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    hasHeader: hasHeader(text),
    /** `kind` is 'value', 'type' (erased by the compiler) or 'lazy'. */
    imports: [],
    /** Every identifier, wherever it stands. */
    names: [],
    /** Uses of what is global or comes from a Node module: `Date.now`, `new Date()`, `crypto.randomUUID`. */
    uses: [],
    functions: [],
  }
  const lineOf = (node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1

  const visit = (node, isType) => {
    const line = lineOf(node)
    const found = findImport(node)
    if (found !== undefined) {
      file.imports.push({ ...found, line })
      for (const name of importedNames(node)) {
        file.uses.push({ name: `${found.specifier.replace(/^node:/, '')}.${name}`, line })
      }
    }
    if (ts.isIdentifier(node)) file.names.push({ name: node.text, line })
    if (!isType) for (const name of usesAt(node)) file.uses.push({ name, line })
    if (ts.isFunctionLike(node) && node.body !== undefined) {
      const end = source.getLineAndCharacterOfPosition(node.getEnd()).line + 1
      file.functions.push({ name: functionName(node), line, lineCount: end - line + 1 })
    }
    ts.forEachChild(node, (child) => visit(child, isType || ts.isTypeNode(child)))
  }
  visit(source, false)
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
  if (isCallOfImport(node) && ts.isStringLiteralLike(node.arguments[0])) {
    return { specifier: node.arguments[0].text, kind: 'lazy' }
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

function importedNames(node) {
  if (!ts.isImportDeclaration(node) || node.importClause?.isTypeOnly === true) return []
  const bindings = node.importClause?.namedBindings
  if (bindings === undefined || !ts.isNamedImports(bindings)) return []
  return bindings.elements
    .filter((element) => !element.isTypeOnly)
    .map((element) => (element.propertyName ?? element.name).text)
}

/** The uses that begin at this node: `a.b.c` counts as `a`, `a.b` and `a.b.c`, and without a leading globalThis. */
function usesAt(node) {
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
    return (node.arguments?.length ?? 0) === 0 ? [`new ${node.expression.text}()`] : []
  }
  if (!ts.isIdentifier(node) || !isReference(node)) return []
  const chain = [node.text]
  for (let at = node; isAccessOf(at.parent, at); at = at.parent) chain.push(at.parent.name.text)
  if (GLOBAL_OBJECTS.has(chain[0])) chain.shift()
  const uses = chain.map((_, index) => chain.slice(0, index + 1).join('.'))
  const isCall = ts.isCallExpression(node.parent) && node.parent.expression === node
  return isCall ? [...uses, `${node.text}()`] : uses
}

function isAccessOf(parent, object) {
  return ts.isPropertyAccessExpression(parent) && parent.expression === object
}

/** Whether an identifier names a value that exists already, rather than a member or something being declared. */
function isReference(node) {
  const { parent } = node
  if (ts.isShorthandPropertyAssignment(parent)) return true
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false
  if (ts.isBindingElement(parent)) return parent.initializer === node
  return parent.name !== node && parent.propertyName !== node
}

function functionName(node) {
  if (ts.isConstructorDeclaration(node)) return `${node.parent.name?.text ?? 'class'}.constructor`
  if (node.name !== undefined) {
    const owner = ts.isClassLike(node.parent) ? `${node.parent.name?.text ?? 'class'}.` : ''
    return owner + node.name.getText()
  }
  return node.parent.name?.getText() ?? 'a function without a name'
}
