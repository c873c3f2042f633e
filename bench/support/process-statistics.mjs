// What a server process costs, as Linux counts it; undefined on other systems.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const isLinux = process.platform === 'linux'
const ticksPerSecond = isLinux ? Number(execFileSync('getconf', ['CLK_TCK'])) : undefined

/** User and system time of all threads so far. */
export function getCpuMs(pid) {
  if (!isLinux) return undefined
  const statistics = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The command's name may hold spaces; the fields after it, from the third on, do not.
  const fields = statistics.slice(statistics.lastIndexOf(')') + 2).split(' ')
  const userTicks = Number(fields[11])
  const systemTicks = Number(fields[12])
  return ((userTicks + systemTicks) * 1000) / ticksPerSecond
}

export function getResidentBytes(pid) {
  return getStatusBytes(pid, 'VmRSS')
}

/** The highest resident memory since the last `resetPeakResidentBytes`. */
export function getPeakResidentBytes(pid) {
  return getStatusBytes(pid, 'VmHWM')
}

export function resetPeakResidentBytes(pid) {
  if (isLinux) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function getStatusBytes(pid, field) {
  if (!isLinux) return undefined
  const line = readFileSync(`/proc/${pid}/status`, 'latin1').match(`${field}:\\s+(\\d+) kB`)
  return Number(line[1]) * 1024
}
