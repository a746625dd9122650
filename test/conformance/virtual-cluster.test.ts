/** The statements of section 7.4 of the Mesos v1 reference, held by the virtual cluster. README.md says which, and why not all. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openBench, type Statement } from './bench.js'
import { checks } from './checks.js'
import { endings } from './endings.js'
import { failures } from './failures.js'
import { feedback } from './feedback.js'
import { launches } from './launches.js'
import { offers } from './offers.js'
import { operators } from './operators.js'
import { requests } from './requests.js'
import { reservations } from './reservations.js'
import { sharing } from './sharing.js'
import { streams } from './streams.js'
import { volumes } from './volumes.js'

const parts: Readonly<Record<string, readonly Statement[]>> = {
  'A requests': requests,
  'B streams': streams,
  'C offers': offers,
  'D operations': [...reservations, ...volumes, ...feedback],
  'E tasks': [...launches, ...endings, ...checks, ...sharing],
  'F failures': failures,
  'G operators': operators,
}

for (const [part, statements] of Object.entries(parts)) {
  describe(part, () => {
    for (const { id, says, options, hold } of statements) {
      test(`${id} ${says}`, async () => {
        await hold(await openBench(options))
      })
    }
  })
}

describe('README.md', () => {
  const text = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
  /** The table of a section, without its head. */
  const rowsOf = (heading: string): string[][] => {
    const [, section = ''] = text.split(`\n## ${heading}\n`)
    const [table = ''] = section.trim().split('\n\n')
    return table
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1),
      )
  }
  /** `A`, `1-3 7` are A1, A2, A3, A7. */
  const expand = (part: string, ranges: string): string[] =>
    ranges.split(' ').flatMap((range) => {
      const [first = '', last = first] = range.split('-')
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${part}${Number(first) + index}`)
    })
  const here = rowsOf('Held here').flatMap(([part = '', ranges = '']) => expand(part, ranges))
  const others = [...rowsOf('Held elsewhere'), ...rowsOf('Held nowhere')].map(([id = '']) => id)

  test('lists what is held here', () => {
    expect(Object.values(parts).flatMap((statements) => statements.map(({ id }) => id))).toEqual(here)
  })

  test('says of every statement that concerns a server where it is held, or why it is not', () => {
    const ofServers = {
      A: '1-18 21 22',
      B: '1 5-7 15-18 22-27 29',
      C: '1-17',
      D: '1-18 20-27 29',
      E: '1-3 7-14 16-30',
      F: '1-3 6-16 19 20',
      G: '1-12 14 15',
    }
    const all = Object.entries(ofServers).flatMap(([part, ranges]) => expand(part, ranges))
    expect([...here, ...others].sort()).toEqual(all.sort())
    expect([all.length, here.length]).toEqual([135, 115])
  })
})
