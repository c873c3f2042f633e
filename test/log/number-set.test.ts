// The bitmap of removed numbers against a Set.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { NumberSet } from '../../src/log/number-set.js'

it('does what a set does', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.array(fc.nat(300), { maxLength: 200 }),
      fc.nat(320),
      fc.nat(320),
      (base, offsets, a, b) => {
        const set = new NumberSet(base, 50)
        const model = new Set<number>()
        for (const offset of offsets) {
          expect(set.add(base + offset)).toBe(!model.has(base + offset))
          model.add(base + offset)
        }
        const [from, to] = [base + Math.min(a, b), base + Math.max(a, b)]
        const inside = [...model].filter((number) => number >= from && number < to)
        expect(set.size).toBe(model.size)
        expect(set.countIn(from, to)).toBe(inside.length)
        let absent = from
        while (absent < to && model.has(absent)) absent += 1
        expect(set.nextAbsent(from, to)).toBe(absent)
        expect(set.has(base - 1)).toBe(false)
        const visited: number[] = []
        set.forEachIn(from, to, (number) => visited.push(number))
        expect(visited).toEqual(inside.sort((x, y) => x - y))
        const copy = NumberSet.fromWords(base, set.toWords(320))
        for (let number = base; number < base + 320; number++) {
          expect(copy.has(number)).toBe(model.has(number))
        }
      },
    ),
  )
})
