// What copying bytes costs within one typed array and between two: the measurement behind src/base/byte-arena.ts.
const memory = new Uint8Array(8 << 20)
const source = Buffer.allocUnsafeSlow(1 << 20)
const target = Buffer.allocUnsafeSlow(1 << 20)
const words = new DataView(memory.buffer)

const ways = {
  'byte loop': (from, at, count) => {
    for (let i = 0; i < count; i++) memory[at + i] = memory[from + i]
  },
  'word loop': (from, at, count) => {
    let i = 0
    for (; i + 4 <= count; i += 4) words.setInt32(at + i, words.getInt32(from + i))
    for (; i < count; i++) memory[at + i] = memory[from + i]
  },
  copyWithin: (from, at, count) => memory.copyWithin(at, from, from + count),
  'Buffer.copy': (from, at, count) => source.copy(target, at & 0x7ffff, from, from + count),
}

const rounds = 3
console.log(`| bytes | ${Object.keys(ways).join(' | ')} |`)
console.log(`| ---: |${' ---: |'.repeat(Object.keys(ways).length)}`)
for (const count of [16, 32, 64, 128, 256, 1024, 4096, 16384]) {
  const iterations = Math.min(3e6, Math.floor(3e8 / (count + 30)))
  const cells = Object.values(ways).map((copy) => {
    let best = Infinity
    for (let round = 0; round < rounds; round++) {
      const startedAt = process.hrtime.bigint()
      for (let i = 0; i < iterations; i++) {
        copy((i * 37) & 0x7ffff, (4 << 20) + ((i * count) & 0x7ffff), count)
      }
      best = Math.min(best, Number(process.hrtime.bigint() - startedAt) / iterations)
    }
    return `${best.toFixed(0)} ns`
  })
  console.log(`| ${count} | ${cells.join(' | ')} |`)
}
