// Names the machine, because a ratio means something only together with it.
import { cpus, loadavg, release, totalmem, type } from 'node:os'

export function describeMachine() {
  const processors = cpus()
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kernel: `${type()} ${release()}`,
    loadAverage: loadavg()[0],
    measuredOn: new Date().toISOString().slice(0, 10),
  }
}

export function formatMachine(machine, { rounds }) {
  const { processor, cores, memoryGib, node, kernel, loadAverage, measuredOn } = machine
  return (
    `Measured on ${measuredOn}: ${processor}, ${cores} cores, ${memoryGib} GiB, ${kernel}, ` +
    `Node ${node}, load average ${loadAverage.toFixed(1)} at the start, rounds: ${rounds}.`
  )
}
