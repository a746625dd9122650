/**
 * The scheduler dies, loses its store or its calls at every write and every call of a deployment of forty steps and of an update of
 * forty steps, on the store of the simulation and on lmdb, in virtual time; and at random moments, by SIGKILL, on real processes.
 * `STATEWARD_CRASH_PARTS` names some of the parts, as `memory,lmdb-kills`; `STATEWARD_CRASH_POINT` tries one point again.
 */
import type { Row } from '../support/crash-rows.js'
import { runKills } from './support/crash-kills.js'
import { runLives, runPoints } from './support/crash-lives.js'

export const description =
  'the scheduler is stopped at every write and every call of a deployment and an update of 40 steps, and killed at random moments'

interface Part {
  readonly rows: readonly Row[]
  readonly violations: number
  /** Which points, or which random moments: what a reader has to know beside the rows. */
  readonly note?: string
}

const parts: Readonly<Record<string, () => Promise<Part>>> = {
  memory: () => runLives('memory', ['forty pods']),
  small: () => runLives('memory', ['six pods', 'three pods, seed 2', 'three pods, seed 3', 'three pods, seed 4']),
  lmdb: () => runLives('lmdb', ['forty pods']),
  zookeeper: () => runKills('zookeeper', 50),
  'lmdb-kills': () => runKills('lmdb', 15),
}

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const begunMs = performance.now()
  const point = process.env['STATEWARD_CRASH_POINT']
  const asked = process.env['STATEWARD_CRASH_PARTS']?.split(',') ?? Object.keys(parts)
  const tried = point === undefined ? asked.map(partOf) : [() => runPoints(point)]
  const results: Part[] = []
  for (const part of tried) results.push(await part())
  const rows = results.flatMap((result) => result.rows)
  console.table(rows)
  const of = (count: (row: Row) => number): number => rows.reduce((sum, row) => sum + count(row), 0)
  const violations = results.reduce((sum, result) => sum + result.violations, 0)
  const figures = [
    `${of(({ lives }) => lives)} deployments and updates`,
    `${of(({ crashes }) => crashes)} crashes`,
    `${of(({ launches }) => launches)} launches`,
    `${of(({ kills }) => kills)} kills`,
    `${violations} violations`,
    ...results.flatMap(({ note }) => note ?? []),
    `${Math.round((performance.now() - begunMs) / 1_000)} s`,
  ]
  return { ok: violations === 0 && rows.length > 0, line: figures.join(', ') }
}

function partOf(name: string): () => Promise<Part> {
  const part = parts[name]
  if (part === undefined) throw new Error(`there is no part ${name}; there are ${Object.keys(parts).join(', ')}`)
  return part
}
