/**
 * What is demanded of a deployment or an update that was hit at a point: what was launched, killed, begun and left is what it would
 * have been without the fault.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Chapter, FaultPoint, LifeOptions } from './crash-life.js'
import { isCrash, mustComeFirst, printPoint, type Point, type References } from './crash-points.js'
import { runDeployment, runUpdates } from './crash-run.js'

/** What became of the run that was hit at a point. */
export interface Outcome {
  readonly point: Point
  readonly crashes: number
  readonly launches: number
  readonly kills: number
  readonly milliseconds: number
  /** What is wrong; undefined if nothing is. */
  readonly wrong?: Readonly<Record<string, unknown>>
}

/** The first pays for the deployment before it; what a life gathers makes the later ones dearer. */
const updatesInOneLife = 12

/** Points that are tried together: one deployment each, or several updates. */
export function groupPoints(points: readonly Point[]): Point[][] {
  const updates = points.filter(({ plan }) => plan === 'update')
  const heads = updates.filter(mustComeFirst)
  const others = updates.filter((point) => !mustComeFirst(point))
  const lives = Math.max(heads.length, Math.ceil(updates.length / updatesInOneLife))
  const groups = Array.from({ length: lives }, (_, index) => heads.slice(index, index + 1))
  const room = Math.ceil(updates.length / Math.max(1, lives))
  for (const group of groups) group.push(...others.splice(0, room - group.length))
  return [...points.filter(({ plan }) => plan === 'deploy').map((point) => [point]), ...groups]
}

/**
 * Hits a deployment of its own at each point of one. The points of updates are met one after the other in one life, which saves a
 * deployment for each; where something is wrong, it is tried again in a life of its own.
 */
export async function tryPoints(
  options: LifeOptions,
  references: References,
  points: readonly Point[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const point of points.filter(({ plan }) => plan === 'deploy')) {
    const begunMs = performance.now()
    const chapter = await runDeployment(options, toFault(point, references))
    outcomes.push(judge(point, chapter, references.deploy, performance.now() - begunMs))
  }
  let updates = points.filter(({ plan }) => plan === 'update')
  while (updates.length > 0) {
    const done = await tryInOneLife(options, references, updates)
    outcomes.push(...done)
    updates = updates.slice(done.length)
  }
  return outcomes
}

async function tryInOneLife(options: LifeOptions, references: References, points: readonly Point[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  let begunMs = performance.now()
  const faults = points.map((point) => toFault(point, references))
  await runUpdates(options, faults, (chapter, index) => {
    const point = points[index] as Point
    const outcome = judge(point, chapter, references.updates[index % 2] as Chapter, performance.now() - begunMs)
    outcomes.push(outcome)
    begunMs = performance.now()
    return outcome.wrong === undefined
  })
  const last = outcomes.at(-1)
  if (last?.wrong === undefined || outcomes.length === 1) return outcomes
  // No two updates are quite alike: one may have a call less, so that the fault finds none.
  const [alone] = await tryInOneLife(options, references, [last.point])
  if (alone === undefined) return outcomes
  const isPlace = alone.wrong === undefined && last.wrong['hasStruck'] !== undefined
  const behind = points.slice(0, outcomes.length - 1).map(printPoint)
  const verdict = alone.wrong !== undefined || isPlace ? alone : { ...last, wrong: { ...last.wrong, behind } }
  return [...outcomes.slice(0, -1), verdict]
}

function toFault(point: Point, references: References): FaultPoint {
  if (point.at !== 'decision') return point
  const { decisions } = point.plan === 'deploy' ? references.deploy : references.updates[0]
  const joined = decisions.find(({ commit }) => commit === point.number)?.decisions ?? []
  return { at: 'decision', number: point.number, landed: joined.slice(0, point.fault) }
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((a, b) => a + b, 0)

function judge(point: Point, chapter: Chapter, reference: Chapter, milliseconds: number): Outcome {
  const wrong = differencesOf(point, chapter, reference)
  return {
    point,
    crashes: chapter.crashes,
    launches: sum(Object.values(chapter.launches)),
    kills: chapter.kills.length,
    milliseconds,
    ...(Object.keys(wrong).length === 0 ? {} : { wrong }),
  }
}

/** What a chapter with a fault must have in common with the one without. */
const essence = ({ problems, launches, kills, blocks, runs, volumes, install }: Chapter) => ({
  problems,
  launches,
  kills,
  blocks,
  runs,
  volumes,
  install,
})

function differencesOf(point: Point, chapter: Chapter, reference: Chapter): Record<string, unknown> {
  const found = { ...essence(chapter), crashes: chapter.crashes, hasStruck: chapter.hasStruck }
  const due = { ...essence(reference), problems: [], crashes: isCrash(point) ? 1 : 0, hasStruck: true }
  return Object.fromEntries(
    Object.entries(found).flatMap(([key, value]) => {
      const wanted = due[key as keyof typeof due]
      return isDeepStrictEqual(value, wanted) ? [] : [[key, { found: value, due: wanted }]]
    }),
  )
}
