/** The crash matrix in simulated clusters: the lives of a service, one for each point, on worker threads. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chanceOf } from '../../../src/testing/virtual/chance.js'
import { mutants, mutate } from '../../simulation/mutants.js'
import { parsePoint, printPoint, type Point } from '../../support/crash-points.js'
import { buildRows, type Row } from '../../support/crash-rows.js'
import { groupPoints, type Outcome } from '../../support/crash-trial.js'
import { bundleProgram, runOnThreads } from '../../support/threads.js'
import type { SimulatedStoreName, Subject, Work, WorkDone } from './crash-worker.js'

const worker = new URL('./crash-worker.ts', import.meta.url).pathname
const progressMs = 60_000
/** A group of points without an answer in this time hangs. */
const limitMs = 600_000
/** What is broken is broken at many points. */
const mostWrong = 20
const shown = 3
const shownCharacters = 3_000

export interface LivesResult {
  readonly rows: readonly Row[]
  readonly violations: number
  readonly note?: string
}

export async function runLives(store: SimulatedStoreName, services: readonly string[]): Promise<LivesResult> {
  // Only the death of a process is tried, which a file system in memory outlives too; syncing a disk takes long.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'stateward-crash-'))
  try {
    const faulty = mutants.filter(({ name }) => name === process.env['STATEWARD_MUTANT']).map(mutate)
    const program = await bundleProgram(worker, `crash-${store}`, faulty)
    const subjects = services.map((service): Subject => ({ store, service, folder }))
    return await runSubjects(program, subjects)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runSubjects(program: string, subjects: readonly Subject[]): Promise<LivesResult> {
  const work: Work[] = []
  const listed = [...subjects]
  await runOnThreads<Work, WorkDone>({
    worker: program,
    limitMs,
    threads: 1,
    next: () => listed.shift(),
    onDone(subject, done) {
      for (const points of groupPoints(choose(done?.points ?? []))) work.push({ ...subject, points })
    },
  })
  const outcomes = new Map<string, Outcome[]>(subjects.map(({ service }) => [nameOf(service), []]))
  const all = count(work)
  const tell = createProgress(subjects[0]?.store ?? '', all)
  let lives = 0
  let violations = 0
  await runOnThreads<Work, WorkDone>({
    worker: program,
    limitMs,
    next: () => (violations < mostWrong ? work.shift() : undefined),
    onDone(tried, done) {
      const found = done?.outcomes ?? (tried.points ?? []).map(hung)
      outcomes.get(nameOf(tried.service))?.push(...found)
      for (const outcome of found) {
        lives += 1
        if (outcome.wrong !== undefined && ++violations <= shown) describe(tried, outcome)
      }
      tell(lives, violations)
    },
  })
  const rows = [...outcomes].flatMap(([service, those]) => buildRows(subjects[0]?.store ?? '', service, those))
  const left = all - lives
  return { rows, violations, ...(left === 0 ? {} : { note: `${left} points not tried` }) }
}

/** Seeds of one service are shown together. */
const nameOf = (service: string): string => service.replace(/, seed \d+$/, '')

const count = (work: readonly Work[]): number => work.reduce((sum, { points }) => sum + (points?.length ?? 0), 0)

/** `STATEWARD_CRASH_SHARE=0.05` tries one point of twenty, the same ones each time. */
function choose(points: readonly Point[]): Point[] {
  const share = Number(process.env['STATEWARD_CRASH_SHARE'] ?? 1)
  const chance = chanceOf(1, 'points')
  return points.filter(() => chance.happens(share))
}

const hung = (point: Point): Outcome => ({
  point,
  crashes: 0,
  launches: 0,
  kills: 0,
  milliseconds: limitMs,
  wrong: { answer: `none within ${limitMs / 1_000} s` },
})

function describe({ store, service }: Subject, { point, wrong }: Outcome): void {
  console.log(`FAILED: STATEWARD_CRASH_POINT='${store}/${service}/${printPoint(point)}'`)
  console.log(JSON.stringify(wrong, null, 2).slice(0, shownCharacters))
}

function createProgress(store: string, all: number): (lives: number, violations: number) => void {
  const begunMs = performance.now()
  let toldMs = begunMs
  return (lives, violations) => {
    if (performance.now() - toldMs < progressMs) return
    toldMs = performance.now()
    const perSecond = (lives * 1_000) / (toldMs - begunMs)
    const left = Math.ceil((all - lives) / perSecond / 60)
    console.log(
      `${store}: ${lives} of ${all} lives, ${perSecond.toFixed(1)} a second, ${left} min left, ${violations} with violations`,
    )
  }
}

/**
 * One point again, or several updates of one life: `memory/forty pods/update commit 12 stopAfter; update call 7 crash`. In this
 * thread, so that a debugger sees it.
 */
export async function runPoints(text: string): Promise<LivesResult> {
  const [store = '', service = '', points = ''] = text.split('/')
  const { work } = await import('./crash-worker.js')
  const folder = mkdtempSync(join(tmpdir(), 'stateward-crash-'))
  try {
    const subject: Subject = { store: store as SimulatedStoreName, service, folder }
    const { outcomes } = await work({ ...subject, points: points.split(';').map(parsePoint) })
    const wrong = outcomes.filter((outcome) => outcome.wrong !== undefined)
    for (const outcome of wrong) describe(subject, outcome)
    return { rows: buildRows(store, service, outcomes), violations: wrong.length }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
