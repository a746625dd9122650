/** Every place at which a deployment or an update of a service can be hit, found in a run without a fault. */
import { isDeepStrictEqual } from 'node:util'
import type { CommitFault } from '../../src/testing/simulation/store.js'
import type { CallFault } from '../../src/testing/virtual/driver.js'
import { serversOf } from './crash-demands.js'
import type { Chapter, LifeOptions } from './crash-life.js'
import { runDeployment, runUpdates } from './crash-run.js'

type Plan = 'deploy' | 'update'
export type StopFault = 'stopBefore' | 'stopAfter'

/** Plain data, so that it can be sent to a thread, printed and typed in again. */
export type Point = { readonly plan: Plan; readonly number: number } & (
  | { readonly at: 'commit'; readonly fault: StopFault | CommitFault }
  /** Only so many of the decisions in that commit have landed. */
  | { readonly at: 'decision'; readonly fault: number }
  | { readonly at: 'call'; readonly fault: CallFault }
)

/** Which faults are wanted. */
export interface Faults {
  readonly commits: readonly (StopFault | CommitFault)[]
  readonly decisions: boolean
  /** Of a call or an acknowledgement of that type; `number` is its place among all of its plan. */
  readonly calls: (type: Chapter['calls'][number], number: number) => readonly CallFault[]
}

/** `unknown`: the connection broke, the same bytes were sent again. `lost`: the session was over, another was opened. */
export const commitFaults = ['stopBefore', 'stopAfter', 'unknownBefore', 'unknownAfter', 'lostBefore', 'lostAfter'] as const

/** Chapters without a fault. */
export interface References {
  readonly deploy: Chapter
  /** To the second spec, and back to the first. */
  readonly updates: readonly [Chapter, Chapter]
}

/** @throws Error when something is wrong without any fault. */
export async function findReferences(options: LifeOptions): Promise<References> {
  const deploy = await runDeployment(options)
  const updates = await runUpdates(options, [undefined, undefined])
  for (const { problems } of [deploy, ...updates])
    if (problems.length > 0) throw new Error(`not even without a fault: ${problems.join('; ')}`)
  const [there, back] = updates
  if (there === undefined || back === undefined) throw new Error('there must be an update in both directions')
  const due = serversOf(options.second).sort()
  if (deploy.kills.length > 0 || !isDeepStrictEqual(there.kills.toSorted(), due))
    throw new Error(
      `without a fault ${deploy.kills.join()} were killed in the deployment and ${there.kills.join()} in the update`,
    )
  return { deploy, updates: [there, back] }
}

export function listPoints(references: References, faults: Faults): Point[] {
  return (['deploy', 'update'] as const).flatMap((plan) => {
    const { commits, calls, decisions } = plan === 'deploy' ? references.deploy : references.updates[0]
    return [
      ...Array.from({ length: commits }, (_, index) =>
        faults.commits.map((fault): Point => ({ plan, at: 'commit', number: index + 1, fault })),
      ).flat(),
      ...(faults.decisions ? decisions : []).flatMap(({ commit, decisions: joined }) =>
        joined.slice(1).map((_, index): Point => ({ plan, at: 'decision', number: commit, fault: index + 1 })),
      ),
      ...calls.flatMap((type, index) =>
        faults.calls(type, index + 1).map((fault): Point => ({ plan, at: 'call', number: index + 1, fault })),
      ),
    ]
  })
}

export const printPoint = ({ plan, at, number, fault }: Point): string => `${plan} ${at} ${number} ${fault}`

/** @throws Error for what `printPoint` does not print. */
export function parsePoint(text: string): Point {
  const found = /^(deploy|update) (commit|decision|call) (\d+) (\w+)$/.exec(text.trim())
  if (found === null) throw new Error(`a point is like "update commit 12 stopAfter" (got ${JSON.stringify(text)})`)
  const [, plan, at, number, fault] = found
  return { plan, at, number: Number(number), fault: at === 'decision' ? Number(fault) : fault } as Point
}

/** Decisions differ from life to life but for the first update of each, so only there some of them can be taken from another. */
export const mustComeFirst = ({ at }: Point): boolean => at === 'decision'

export const isCrash = ({ at, fault }: Point): boolean =>
  at === 'decision' || fault === 'stopBefore' || fault === 'stopAfter' || fault === 'crash' || fault === 'crashAfter'
