// A generator in a process of its own, called by name: one call is one message to the child and one
// answer back.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The benchmark's side: starts the process; whoever starts it stops it. */
export function startWorker(fileName, execArguments = []) {
  const child = fork(fileURLToPath(new URL(fileName, import.meta.url)), {
    execArgv: execArguments,
  })
  const waiting = new Map()
  let lastCall = 0
  child.on('message', ({ call, result, error }) => {
    const { resolve, reject } = waiting.get(call)
    waiting.delete(call)
    if (error === undefined) resolve(result)
    else reject(new Error(error))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) {
      reject(new Error(`${fileName} ended with ${code ?? signal}`))
    }
  })
  return {
    pid: child.pid,
    call(method, parameters) {
      lastCall += 1
      const call = lastCall
      return new Promise((resolve, reject) => {
        waiting.set(call, { resolve, reject })
        child.send({ call, method, parameters })
      })
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

/** The child's side: answers calls until the benchmark disconnects. */
export function serveCalls(methods) {
  process.on('message', async ({ call, method, parameters }) => {
    try {
      process.send({ call, result: await methods[method](parameters) })
    } catch (error) {
      process.send({ call, error: error.message })
    }
  })
  process.on('disconnect', () => process.exit())
}
