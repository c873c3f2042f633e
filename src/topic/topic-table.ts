// The topics in use, each with a handle that remembers who matched it. A topic is found by its bytes, so that no string
// is made per message; a change of subscriptions touches only the handles that its pattern matches, so that
// the memory survives heavy subscription churn (found by a walk over a second trie, of the cached topics).
//
// A handle may be held for ever: one that left the table comes back in by `refresh`.
import { decodeExactly } from '../base/index.js'

/** A topic as engines see it: its name, its bytes, and what was matched to it. */
export class TopicHandle<M = unknown> {
  readonly name: string
  /** The name in UTF-8. */
  readonly bytes: Uint8Array
  readonly hash: number
  /** What matched when last looked up; undefined: look again. */
  matches: M | undefined
  /** Spares the handle once when room is needed. */
  isRecentlyUsed = true
  /** The next handle of the same bucket. */
  next: TopicHandle<M> | undefined
  /** The next handle of the same topic: one was evicted while held, another made, and the first came back. */
  twin: TopicHandle<M> | undefined
  /** The place in the trie of cached topics, undefined when not in the table. */
  node: CachedNode<M> | undefined

  constructor(name: string, bytes: Uint8Array, hash: number) {
    this.name = name
    this.bytes = bytes
    this.hash = hash
  }
}

class CachedNode<M> {
  readonly parent: CachedNode<M> | undefined
  readonly token: string
  children: Map<string, CachedNode<M>> | undefined
  handle: TopicHandle<M> | undefined

  constructor(parent: CachedNode<M> | undefined, token: string) {
    this.parent = parent
    this.token = token
  }
}

/** Twice what one busy server is seen to use at a time; a handle is some 400 bytes. */
const DEFAULT_CAPACITY = 16_384

const encoder = new TextEncoder()

export class TopicTable<M> {
  readonly capacity: number
  readonly #buckets: (TopicHandle<M> | undefined)[]
  readonly #root = new CachedNode<M>(undefined, '')
  /** The clock face of second-chance replacement. */
  readonly #ring: TopicHandle<M>[] = []
  #hand = 0
  #last: TopicHandle<M>

  constructor(capacity = DEFAULT_CAPACITY) {
    this.capacity = capacity
    const bucketCount = 2 ** Math.ceil(Math.log2(capacity * 2))
    this.#buckets = new Array<TopicHandle<M> | undefined>(bucketCount).fill(undefined)
    this.#last = new TopicHandle<M>('', new Uint8Array(0), 0)
  }

  get size(): number {
    return this.#ring.length
  }

  /** The handle of the topic in `bytes[from, to)`. */
  atBytes(bytes: Uint8Array, from: number, to: number): TopicHandle<M> {
    const last = this.#last
    if (holdsSameBytes(last, bytes, from, to)) return last
    let hash = 0x811c9dc5
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    let handle = this.#buckets[hash & (this.#buckets.length - 1)]
    while (handle !== undefined) {
      if (handle.hash === hash && holdsSameBytes(handle, bytes, from, to)) break
      handle = handle.next
    }
    if (handle === undefined) {
      const copy = bytes.slice(from, to)
      handle = new TopicHandle<M>(decodeExactly(copy, 0, copy.length), copy, hash)
      this.refresh(handle)
    }
    handle.isRecentlyUsed = true
    this.#last = handle
    return handle
  }

  /** The handle of the topic called `name`. */
  atName(name: string): TopicHandle<M> {
    const bytes = encoder.encode(name)
    return this.atBytes(bytes, 0, bytes.length)
  }

  /** Puts a handle into the table unless it is there, making room when the table is full. */
  refresh(handle: TopicHandle<M>): void {
    if (handle.node !== undefined) return
    const bucket = handle.hash & (this.#buckets.length - 1)
    handle.next = this.#buckets[bucket]
    this.#buckets[bucket] = handle
    handle.node = this.#place(handle)
    if (this.#ring.length < this.capacity) this.#ring.push(handle)
    else this.#ring[this.#evictOne()] = handle
  }

  /** Forgets the matches of every cached topic that `pattern` matches. Returns how many handles were visited. */
  invalidate(pattern: string): number {
    return this.#invalidate(this.#root, pattern.split('.'), 0)
  }

  #invalidate(node: CachedNode<M>, tokens: readonly string[], depth: number): number {
    if (depth === tokens.length) return forget(node)
    const token = tokens[depth]!
    if (token !== '*' && token !== '>') {
      const child = node.children?.get(token)
      return child === undefined ? 0 : this.#invalidate(child, tokens, depth + 1)
    }
    let visited = 0
    for (const child of node.children?.values() ?? []) {
      // Below '>' everything matches: the token is kept, so the walk goes on to the leaves.
      visited += this.#invalidate(child, tokens, token === '>' ? depth : depth + 1)
      if (token === '>') visited += forget(child)
    }
    return visited
  }

  #place(handle: TopicHandle<M>): CachedNode<M> {
    let node = this.#root
    for (const token of handle.name.split('.')) {
      const children = (node.children ??= new Map())
      let child = children.get(token)
      if (child === undefined) {
        child = new CachedNode<M>(node, token)
        children.set(token, child)
      }
      node = child
    }
    handle.twin = node.handle
    node.handle = handle
    return node
  }

  /** Drops one handle that was not used since the hand last passed it; returns its seat in the ring. */
  #evictOne(): number {
    for (;;) {
      const seat = this.#hand
      const handle = this.#ring[seat]!
      this.#hand = (seat + 1) % this.#ring.length
      if (!handle.isRecentlyUsed) {
        this.#drop(handle)
        return seat
      }
      handle.isRecentlyUsed = false
    }
  }

  #drop(handle: TopicHandle<M>): void {
    const bucket = handle.hash & (this.#buckets.length - 1)
    if (this.#buckets[bucket] === handle) this.#buckets[bucket] = handle.next
    else {
      let before = this.#buckets[bucket]!
      while (before.next !== handle) before = before.next!
      before.next = handle.next
    }
    handle.next = undefined
    handle.matches = undefined
    let node = handle.node!
    handle.node = undefined
    if (node.handle === handle) node.handle = handle.twin
    else {
      let before = node.handle!
      while (before.twin !== handle) before = before.twin!
      before.twin = handle.twin
    }
    handle.twin = undefined
    while (node.parent !== undefined && !node.handle && !node.children) {
      const parent = node.parent
      parent.children!.delete(node.token)
      if (parent.children!.size === 0) parent.children = undefined
      node = parent
    }
    if (this.#last === handle) this.#last = new TopicHandle<M>('', new Uint8Array(0), 0)
  }
}

function forget<M>(node: CachedNode<M>): number {
  let visited = 0
  for (let handle = node.handle; handle !== undefined; handle = handle.twin) {
    handle.matches = undefined
    visited += 1
  }
  return visited
}

function holdsSameBytes(handle: TopicHandle, bytes: Uint8Array, from: number, to: number): boolean {
  const own = handle.bytes
  if (own.length !== to - from || own.length === 0) return false
  // From the end, where topics of one family differ.
  for (let i = own.length - 1, j = to - 1; i >= 0; i--, j--) if (own[i] !== bytes[j]) return false
  return true
}
