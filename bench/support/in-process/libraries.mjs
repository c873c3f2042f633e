// The libraries behind one shape. Every handler reads one field and adds it to a counter, so that
// no call can be optimised away and none is done without.
export const libraries = [
  {
    name: 'fanfare',
    note: 'an envelope for each emit; handlers read message.data',
    hasWildcards: true,
    async open() {
      const { openBroker } = await import('../../../dist/broker/index.js')
      const broker = await openBroker()
      return {
        subscribe: (topic, counter) =>
          broker.subscribe(topic, (message) => {
            counter.sum += message.data.value
          }),
        emit: (topic, body) => broker.emit(topic, body),
        close: () => broker.close(),
      }
    },
  },
  {
    name: 'EventEmitter',
    note: 'of Node',
    hasWildcards: false,
    async open() {
      const { EventEmitter } = await import('node:events')
      return wrapEmitter(new EventEmitter())
    },
  },
  {
    name: 'eventemitter3',
    hasWildcards: false,
    async open() {
      const { EventEmitter } = await import('eventemitter3')
      return wrapEmitter(new EventEmitter())
    },
  },
  {
    name: 'eventemitter2',
    note: 'with `wildcard: true` in all rows, as wildcards need it',
    hasWildcards: true,
    async open() {
      const { default: library } = await import('eventemitter2')
      return wrapEmitter(new library.EventEmitter2({ wildcard: true, maxListeners: 0 }))
    },
  },
  {
    name: 'mitt',
    hasWildcards: false,
    async open() {
      const { default: mitt } = await import('mitt')
      return wrapEmitter(mitt())
    },
  },
  {
    name: 'emittery',
    note: 'asynchronous: each emit is awaited',
    hasWildcards: false,
    isAwaited: true,
    async open() {
      const { default: Emittery } = await import('emittery')
      return wrapEmitter(new Emittery())
    },
  },
  {
    name: 'rxjs',
    note: 'a subject for each topic; for wildcards, one subject and a filter for each subscription',
    hasWildcards: true,
    async open({ isWildcard }) {
      return isWildcard ? openFilteredSubject() : openSubjects()
    },
  },
]

function wrapEmitter(emitter) {
  return {
    subscribe: (topic, counter) =>
      emitter.on(topic, (body) => {
        counter.sum += body.value
      }),
    emit: (topic, body) => emitter.emit(topic, body),
    close: () => {},
  }
}

async function openSubjects() {
  const { Subject } = await import('rxjs')
  const subjects = new Map()
  return {
    subscribe(topic, counter) {
      if (!subjects.has(topic)) subjects.set(topic, new Subject())
      subjects.get(topic).subscribe((body) => {
        counter.sum += body.value
      })
    },
    emit: (topic, body) => subjects.get(topic).next(body),
    close: () => {},
  }
}

async function openFilteredSubject() {
  const { Subject, filter } = await import('rxjs')
  const subject = new Subject()
  return {
    subscribe(pattern, counter) {
      const prefix = pattern.slice(0, -1)
      subject.pipe(filter((message) => message.topic.startsWith(prefix))).subscribe((message) => {
        counter.sum += message.body.value
      })
    },
    emit: (topic, body) => subject.next({ topic, body }),
    close: () => {},
  }
}
