// The grammar, case by case; test/cli/configuration/nats-server-agreement.test.ts holds it against the real one.
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../../../src/base/index.js'
import { parseConfiguration } from '../../../../src/cli/configuration/syntax/index.js'
import { plain } from './plain.js'

const parse = (text: string, environment: Record<string, string> = {}): unknown =>
  plain(parseConfiguration('f.conf', { readFile: () => text, environment }))

function refusal(text: string): FanfareError {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof FanfareError) return error
    throw error
  }
  throw new Error(`was accepted: ${text}`)
}

describe('values', () => {
  it.each<[string, unknown]>([
    ['1', 1],
    ['-1', -1],
    ['007', 7],
    ['1k', 1000],
    ['1K', 1000],
    ['1kb', 1024],
    ['1KB', 1024],
    ['1Ki', 1024],
    ['1KiB', 1024],
    ['2m', 2_000_000],
    ['2MB', 2_097_152],
    ['2Mi', 2_097_152],
    ['1G', 1e9],
    ['1GiB', 2 ** 30],
    ['1T', 1e12],
    ['1TB', 2 ** 40],
    ['1P', 1e15],
    ['1PiB', 2 ** 50],
    ['1E', 1e18],
    ['-2k', -2000],
    ['9223372036854775807', 2 ** 63],
    ['1.5', { float: 1.5 }],
    ['-0.25', { float: -0.25 }],
    ['true', true],
    ['Yes', true],
    ['ON', true],
    ['false', false],
    ['no', false],
    ['off', false],
    ['"true"', 'true'],
    ['2016-05-04T18:53:41Z', new Date('2016-05-04T18:53:41Z')],
    ['10s', '10s'],
    ['1kk', '1kk'],
    ['5e7bcd', '5e7bcd'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1:4222', '127.0.0.1:4222'],
    ['localhost:4222', 'localhost:4222'],
    ['a/b#c//d', 'a/b#c//d'],
    ['#word', '#word'],
    [`'it is \\n "raw"'`, 'it is \\n "raw"'],
    ['"a\\tb\\n\\r\\"\\\\"', 'a\tb\n\r"\\'],
    ['"\\x66\\x6f\\x6F"', 'foo'],
    ['"\\xc3\\xa9"', 'é'],
    ['"two\nlines"', 'two\nlines'],
    ['""', ''],
    ['a\\x20b', 'a b'],
    ['$2a$11$abc', '$2a$11$abc'],
    ['$2b$11$abc', '$2b$11$abc'],
    ['\\x24name', '$name'],
    [`word'`, 'word'],
    [`on'`, 'on'],
    [`$name'`, '$name'],
    [`7'even`, `7'even`],
    ['1\\t', '1\\t'],
    ['(\n a ) b\n  )\n)', '\n a ) b\n  )\n'],
    ['[]', []],
    ['[1,2]', [1, 2]],
    ['[1k]', [1000]],
    ['[ a, "b"\n c # d\n // e\n\n [yes] ]', ['a', 'b', 'c', [true]]],
    ['[1,]', [1]],
    ['{}', {}],
    ['{a: 1}', { a: 1 }],
    ['{a 1, "b c"=2; \'d\' {e: f}\n# g\nh:\n i}', { a: 1, 'b c': 2, d: { e: 'f' }, h: 'i' }],
    ['{__proto__: 1}', JSON.parse('{"__proto__": 1}')],
  ])('reads %j', (text, expected) => {
    for (const separator of [': ', ' = ', ' ', ':', '=']) {
      expect(parse(`key${separator}${text}\nlast: 1`)).toEqual({ key: expected, last: 1 })
    }
  })
})

describe('documents', () => {
  it.each<[string, unknown]>([
    ['', {}],
    ['# only\n// comments', {}],
    ['a: 1;b: 2, c: 3\r\nd: 4 # five', { a: 1, b: 2, c: 3, d: 4 }],
    [
      '{"a": 1, "b": [true, "c"],\n"d": {"e": -1.5}}\n',
      { a: 1, b: [true, 'c'], d: { e: { float: -1.5 } } },
    ],
    ['a\n1', { a: 1 }],
    ['a: 1\nb: 2\na: 3', { b: 2, a: 3 }],
    ['a: [1\n2]\nb: $a', { a: [1, 2], b: [1, 2] }],
    ['a: x\nb { a: y\n c { d: $a } }\ne: $a', { a: 'x', b: { a: 'y', c: { d: 'y' } }, e: 'x' }],
    ['include_me: 1', { include_me: 1 }],
  ])('reads %j', (text, expected) => {
    expect(parse(text)).toEqual(expected)
  })

  it('knows the line of every key and value', () => {
    const block = parseConfiguration('f.conf', {
      environment: {},
      readFile: () => '# one\na {\n  b: "x\ny"\n  c = [ 1\n 2 ]\n}\nd\n 3',
    })
    const a = block.get('a')
    const inner = a?.content.kind === 'block' ? a.content.settings : undefined
    const c = inner?.get('c')
    expect(a?.place).toEqual({ file: 'f.conf', line: 2 })
    expect(inner?.get('b')?.place.line).toBe(3)
    expect(c?.place.line).toBe(5)
    expect(c?.content.kind === 'array' && c.content.elements.map((e) => e.place.line)).toEqual([
      5, 6,
    ])
    expect(block.get('d')).toMatchObject({ place: { line: 8 }, valuePlace: { line: 9 } })
  })
})

describe('faults', () => {
  it.each([
    ['port', 1, '"port" has no value'],
    ['\nport:', 2, '"port" has no value'],
    ['port:\n4222', 1, 'found the end of the line'],
    ['port: ,', 1, 'expected a value but found ","'],
    ['a: 1 b: 2', 1, 'expected a line end'],
    ['a: 1\n: 2', 2, 'expected a key but found ":"'],
    ['a: 1\n}', 2, 'expected a key but found "}"'],
    ['tls{ a: 1 }', 1, `a blank is missing before the '{'`],
    ['a {\nb: 1\n', 1, `a block has no closing '}'`],
    ['a {\nb: [1\n', 2, `an array has no closing ']'`],
    ['a: 1\nb: "x\n\n', 2, 'a string has no closing "'],
    [`b: 'x\n\n`, 1, `a string has no closing '`],
    ['b: ()', 1, `a block string has no ')'`],
    ['b: (\nx)\n', 1, `a block string has no ')'`],
    ['"a: 1', 1, 'the key that starts here has no closing "'],
    ['a: "\\u0041"', 1, 'unknown escape'],
    ['a: "\\x4"', 1, 'unknown escape'],
    ['a: "\\xff"', 1, 'not UTF-8'],
    ['a: [,]', 1, 'expected a value but found ","'],
    ['a: [1 2]', 1, `expected ',' or ']'`],
    ['a: 1kbb', 1, 'unknown size suffix in 1kbb'],
    ['a: 99999999999999999999', 1, 'number out of range: 99999999999999999999'],
    ['a: 10e', 1, 'number out of range: 10e'],
    ['a: 1.', 1, `a digit after the '.'`],
    ['a: .5', 1, `cannot start with '.'`],
    ['a: -x', 1, `'-' starts a number`],
    ['a: 2016-05', 1, 'a date must be written in full'],
    ['a: 2016-02-30T00:00:00Z', 1, 'no such date'],
    ['include [a]', 1, 'expected a path after include'],
    ['a: 1\nb: \0', 1, 'zero byte'],
    [`a: ${'['.repeat(100_000)}`, 1, 'nested deeper than 100 levels'],
    [`a: ${'{a:'.repeat(100_000)}`, 1, 'nested deeper than 100 levels'],
  ])('refuses %j', (text, line, message) => {
    const error = refusal(text)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(message)
    expect(error.details).toEqual({ file: 'f.conf', line })
  })
})

it('takes time in proportion to the text', () => {
  const count = 200_000
  const hard = [
    'a: (\n' + 'x)\n'.repeat(count),
    'a: (' + ')'.repeat(count),
    'a: ' + '\\t'.repeat(count),
  ]
  for (const text of [
    ...hard,
    'a: 1k' + 'b'.repeat(count) + 'z',
    'a: -' + '1'.repeat(count) + 'q',
  ]) {
    const startedAt = performance.now()
    try {
      parse(text)
    } catch (error) {
      expect(FanfareError.is(error)).toBe(true)
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  }
})
