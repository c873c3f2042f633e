// Who subscribed to what: a trie over tokens that finds all values whose pattern matches a topic in time that depends
// on the topic's tokens and the matches, not on how many patterns there are.

class PatternNode<T> {
  readonly parent: PatternNode<T> | undefined
  readonly token: string
  /** Children by token, `*` and `>` among them: a topic's own `*` token must not find them by name. */
  children: Map<string, PatternNode<T>> | undefined
  anyToken: PatternNode<T> | undefined
  anyTail: PatternNode<T> | undefined
  values: Set<T> | undefined

  constructor(parent: PatternNode<T> | undefined, token: string) {
    this.parent = parent
    this.token = token
  }

  get isEmpty(): boolean {
    return !this.values && !this.children && !this.anyToken && !this.anyTail
  }

  find(token: string): PatternNode<T> | undefined {
    if (token === '*') return this.anyToken
    if (token === '>') return this.anyTail
    return this.children?.get(token)
  }

  /** Every node below that stands for one token at least, the tail wildcard of this node excepted. */
  *descendants(): Generator<PatternNode<T>> {
    const nearest = [...(this.children?.values() ?? []), ...(this.anyToken ? [this.anyToken] : [])]
    for (const child of nearest) {
      yield child
      yield* child.descendants()
      if (child.anyTail !== undefined) yield child.anyTail
    }
  }

  grow(token: string): PatternNode<T> {
    const child = new PatternNode<T>(this, token)
    if (token === '*') this.anyToken = child
    else if (token === '>') this.anyTail = child
    else (this.children ??= new Map()).set(token, child)
    return child
  }

  drop(child: PatternNode<T>): void {
    if (child === this.anyToken) this.anyToken = undefined
    else if (child === this.anyTail) this.anyTail = undefined
    else if (this.children?.delete(child.token) && this.children.size === 0) {
      this.children = undefined
    }
  }
}

export class PatternIndex<T> {
  readonly #root = new PatternNode<T>(undefined, '')
  #size = 0

  /** How many values are held. */
  get size(): number {
    return this.#size
  }

  /** Adds `value` under a valid pattern; false when it was there already. */
  insert(pattern: string, value: T): boolean {
    let node = this.#root
    for (const token of pattern.split('.')) node = node.find(token) ?? node.grow(token)
    const values = (node.values ??= new Set())
    if (values.has(value)) return false
    values.add(value)
    this.#size += 1
    return true
  }

  /** Removes `value` from under `pattern`; false when it was not there. */
  remove(pattern: string, value: T): boolean {
    let node: PatternNode<T> | undefined = this.#root
    for (const token of pattern.split('.')) node = node?.find(token)
    if (!node?.values?.delete(value)) return false
    this.#size -= 1
    if (node.values.size === 0) node.values = undefined
    this.#prune(node)
    return true
  }

  /** Calls `visit` with each value whose pattern matches `topic`. A topic with an empty token matches nothing. */
  forEachMatch(topic: string, visit: (value: T) => void): void {
    const tokens = topic.split('.')
    if (tokens.includes('')) return
    this.#match(this.#root, tokens, 0, visit)
  }

  /** Calls `visit` with each value whose pattern has a topic in common with `pattern`. */
  forEachOverlap(pattern: string, visit: (value: T) => void): void {
    this.#overlap(this.#root, pattern.split('.'), 0, visit)
  }

  /** Whether any pattern matches `topic`. */
  hasMatch(topic: string): boolean {
    let found = false
    this.forEachMatch(topic, () => (found = true))
    return found
  }

  #match(
    node: PatternNode<T>,
    tokens: readonly string[],
    depth: number,
    visit: (value: T) => void,
  ): void {
    if (depth === tokens.length) {
      node.values?.forEach(visit)
      return
    }
    node.anyTail?.values?.forEach(visit)
    const literal = node.children?.get(tokens[depth]!)
    if (literal !== undefined) this.#match(literal, tokens, depth + 1, visit)
    if (node.anyToken !== undefined) this.#match(node.anyToken, tokens, depth + 1, visit)
  }

  #overlap(
    node: PatternNode<T>,
    tokens: readonly string[],
    depth: number,
    visit: (value: T) => void,
  ): void {
    if (depth === tokens.length) {
      node.values?.forEach(visit)
      return
    }
    const token = tokens[depth]!
    node.anyTail?.values?.forEach(visit)
    if (token === '>') {
      for (const child of node.descendants()) child.values?.forEach(visit)
      return
    }
    if (node.anyToken !== undefined) this.#overlap(node.anyToken, tokens, depth + 1, visit)
    if (token === '*') {
      for (const child of node.children?.values() ?? []) {
        this.#overlap(child, tokens, depth + 1, visit)
      }
      return
    }
    const literal = node.children?.get(token)
    if (literal !== undefined) this.#overlap(literal, tokens, depth + 1, visit)
  }

  #prune(from: PatternNode<T>): void {
    let node = from
    while (node.parent !== undefined && node.isEmpty) {
      node.parent.drop(node)
      node = node.parent
    }
  }
}
