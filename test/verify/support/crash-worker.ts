/** A worker thread of the crash matrix: lists the points of a service, and tries them. */
import { parentPort } from 'node:worker_threads'
import type { LifeOptions } from '../../support/crash-life.js'
import { commitFaults, findReferences, listPoints, type Faults, type Point, type References } from '../../support/crash-points.js'
import { tryPoints, type Outcome } from '../../support/crash-trial.js'
import { databaseSpec, fortySpec, tieredSpec } from '../../support/specs.js'

export type SimulatedStoreName = 'memory' | 'lmdb'

/** What is hit: a service, and where its records are. */
export interface Subject {
  readonly store: SimulatedStoreName
  readonly service: string
  /** Where an lmdb store makes its directory. */
  readonly folder: string
}

export interface Work extends Subject {
  /** Absent: to be listed. */
  readonly points?: readonly Point[]
}

export interface WorkDone {
  readonly points: readonly Point[]
  readonly outcomes: readonly Outcome[]
}

const database = { first: databaseSpec(), second: databaseSpec({ version: '2' }), agents: 3 }

const services: Readonly<Record<string, LifeOptions>> = {
  'forty pods': { first: fortySpec('1'), second: fortySpec('2'), agents: 8 },
  'six pods': { first: tieredSpec('1'), second: tieredSpec('2'), agents: 4 },
  ...Object.fromEntries([2, 3, 4].map((seed) => [`three pods, seed ${seed}`, { ...database, seed }])),
}

/** Of calls that decide on tasks every outcome; of all others one, which is known to the cluster or not in turn. */
const unknownOutcomes: Faults['calls'] = (type, number) => {
  if (type === 'accept' || type === 'kill') return ['loseCall', 'loseAnswer', 'late']
  return number % 2 === 0 ? ['loseAnswer'] : ['loseCall']
}

const faultsOf: Readonly<Record<SimulatedStoreName, Faults>> = {
  memory: {
    commits: commitFaults,
    decisions: true,
    calls: (type, number) => ['crash', 'crashAfter', ...unknownOutcomes(type, number)],
  },
  // Its connection cannot break, and what becomes of calls is not its matter.
  lmdb: { commits: ['stopBefore', 'stopAfter'], decisions: false, calls: () => ['crash'] },
}

const known = new Map<string, Promise<References>>()

export async function work({ store, service, folder, points }: Work): Promise<WorkDone> {
  const found = services[service]
  if (found === undefined) throw new Error(`there is no service ${service}; there are ${Object.keys(services).join('; ')}`)
  const options = store === 'lmdb' ? { ...found, lmdbFolder: folder } : found
  const key = `${store} ${service}`
  const finding = known.get(key) ?? findReferences(options)
  known.set(key, finding)
  const references = await finding
  if (points === undefined) return { points: listPoints(references, faultsOf[store]), outcomes: [] }
  return { points, outcomes: await tryPoints(options, references, points) }
}

parentPort?.on('message', (asked: Work) => {
  work(asked).then(
    (done) => parentPort?.postMessage(done),
    (error: unknown) => {
      throw error
    },
  )
})
