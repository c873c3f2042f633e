// How numbers are written in the tables.
export const absent = '–'

/** Three significant digits, with a comma for thousands. */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return absent
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

export function formatBytes(bytes) {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 ** 2
    ? `${bytes / 1024} KiB`
    : `${Number((bytes / 1024 ** 2).toPrecision(3))} MiB`
}

export function formatRatio(ratio) {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : absent
}
