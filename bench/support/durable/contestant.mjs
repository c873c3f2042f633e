// One contender at work: its service, if it is one, and the process that measures it. A call that fails or hangs costs the cell,
// not the run: the process is replaced.
import { startWorker } from '../generators/worker.mjs'
import { startPeer } from '../peers.mjs'
import { withDirectory } from '../place.mjs'

const spareMs = 60_000

export async function startContestant(contender, { root }) {
  const { name, server: peer, driverName } = contender
  const server = peer && (await startPeer({ ...peer, name }, { purpose: 'durable', root }))
  let worker = startMeasuring()

  /** `steps` are calls of the measuring process, the last one's answer is the result; storage is fresh each time. */
  async function measure({ payloadBytes, steps }) {
    try {
      return await withDirectory(root, async (directory) => {
        const place = { directory, port: server?.port }
        await call('open', { driverName, payloadBytes, ...place }, 0)
        let result
        for (const [method, parameters] of steps) {
          result = await call(method, parameters, parameters.durationMs ?? 0)
        }
        await call('close', {}, 0)
        return result === undefined ? { isAbsent: true } : result
      })
    } catch (error) {
      process.kill(worker.pid, 'SIGKILL')
      worker = startMeasuring()
      return { failure: error.message.split('\n')[0].slice(0, 120) }
    }
  }

  async function call(method, parameters, expectedMs) {
    let timeout
    const late = new Promise((_, reject) => {
      timeout = setTimeout(
        () => reject(new Error(`no answer to ${method} in ${(expectedMs + spareMs) / 1000} s`)),
        expectedMs + spareMs,
      )
    })
    try {
      return await Promise.race([worker.call(method, parameters), late])
    } finally {
      clearTimeout(timeout)
    }
  }

  return {
    contender,
    measure,
    async stop() {
      await worker.stop()
      await server?.stop()
    },
  }
}

function startMeasuring() {
  return startWorker('../durable/measure-contender.mjs')
}
