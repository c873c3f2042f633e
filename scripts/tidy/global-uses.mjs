// Which globals, and which members of Node's own modules, a file uses, under the names that the rules give them:
// `Date.now`, `new Date()`, `crypto.randomUUID`. Another local name, destructuring, brackets and casts hide nothing.
import { isBuiltin } from 'node:module'
import ts from 'typescript'

const GLOBAL_OBJECTS = new Set(['globalThis', 'global', 'window', 'self'])

/**
 * A chain is what an expression stands for: `parts` is ['Date', 'now'], without a leading globalThis, and the first
 * `reported` of them were reported where the local name was given.
 */
export function findUses(source) {
  const uses = []
  const localNames = new Map()
  const report = (node, name) => {
    uses.push({ name, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 })
  }
  const bind = (name, chain) => {
    if (ts.isIdentifier(name)) {
      localNames.set(name.text, { parts: chain.parts, reported: chain.parts.length })
      return
    }
    if (!ts.isObjectBindingPattern(name)) return
    for (const element of name.elements) {
      const member = (element.propertyName ?? element.name).text
      if (member === undefined || element.dotDotDotToken !== undefined) continue
      const part = extend(chain, member)
      report(element, part.parts.join('.'))
      bind(element.name, part)
    }
  }

  // Names first: a function may stand above what it uses.
  visitValues(source, (node) => {
    if (isImportOrExport(node)) {
      for (const { name, chain } of importedChains(node)) {
        if (chain.parts.length > 1) report(node, chain.parts.join('.'))
        bind(name, chain)
      }
      return true
    }
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined) {
      const chain = chainOf(node.initializer, localNames)
      if (chain !== undefined) bind(node.name, chain)
    }
    return false
  })
  visitValues(source, (node) => {
    if (isImportOrExport(node)) return true
    const chain = chainOf(node, localNames)
    if (chain === undefined) return false
    for (let count = chain.reported + 1; count <= chain.parts.length; count++) {
      report(node, chain.parts.slice(0, count).join('.'))
    }
    if (chain.parts.length === 1) reportCall(node, chain.parts[0], report)
    return true
  })
  return uses
}

/** `visit` answers whether it has dealt with all that is inside the node; types are not visited. */
function visitValues(node, visit) {
  if (ts.isTypeNode(node) || visit(node)) return
  ts.forEachChild(node, (child) => visitValues(child, visit))
}

function isImportOrExport(node) {
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
}

/** The local names that an import of one of Node's modules gives, or an export of it passes on. */
function importedChains(node) {
  const clause = ts.isImportDeclaration(node) ? node.importClause : node
  if (node.moduleSpecifier === undefined || !isBuiltin(node.moduleSpecifier.text)) return []
  if (clause === undefined || clause.isTypeOnly) return []
  const module = moduleChain(node.moduleSpecifier.text)
  const bindings = ts.isImportDeclaration(node) ? clause.namedBindings : node.exportClause
  const chains = clause === node || clause.name === undefined ? [] : [clause.name]
  if (bindings !== undefined && bindings.elements === undefined) chains.push(bindings.name)
  const named = (bindings?.elements ?? []).filter((element) => !element.isTypeOnly)
  return [
    ...chains.map((name) => ({ name, chain: module })),
    ...named.map((element) => {
      const member = (element.propertyName ?? element.name).text
      return {
        name: element.name,
        chain: member === 'default' ? module : extend(module, member),
      }
    }),
  ]
}

function chainOf(node, localNames) {
  if (isWrapper(node)) return chainOf(node.expression, localNames)
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    const object = chainOf(node.expression, localNames)
    const member = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression
    return object === undefined || member.text === undefined
      ? undefined
      : extend(object, member.text)
  }
  if (ts.isIdentifier(node) && isReference(node)) {
    return localNames.get(node.text) ?? extend({ parts: [], reported: 0 }, node.text)
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [specifier] = node.arguments
    const isNode = ts.isStringLiteralLike(specifier) && isBuiltin(specifier.text)
    return isNode ? moduleChain(specifier.text) : undefined
  }
  return undefined
}

function moduleChain(specifier) {
  return { parts: [specifier.replace(/^node:/, '')], reported: 0 }
}

function extend({ parts, reported }, member) {
  if (parts.length === 0 && GLOBAL_OBJECTS.has(member)) return { parts, reported }
  // The module holds the global of the same name once more.
  if (parts.length === 1 && parts[0] === 'crypto' && member === 'webcrypto') {
    return { parts, reported }
  }
  return { parts: [...parts, member], reported }
}

/** What stands around an expression without changing what it stands for. */
function isWrapper(node) {
  return (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isAwaitExpression(node)
  )
}

function reportCall(node, name, report) {
  const { parent } = node
  if (parent.expression !== node) return
  if (ts.isCallExpression(parent)) report(node, `${name}()`)
  if (ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) === 0) {
    report(node, `new ${name}()`)
  }
}

/** Whether an identifier names a value that exists already, rather than a member or something being declared. */
function isReference(node) {
  const { parent } = node
  if (ts.isShorthandPropertyAssignment(parent)) return true
  if (ts.isBindingElement(parent)) return parent.initializer === node
  return parent.name !== node && parent.propertyName !== node
}
