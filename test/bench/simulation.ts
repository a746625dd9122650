/**
 * How fast virtual time passes: a rolling upgrade of 350 blocks, each three virtual minutes (60 s until the task is ready, 120 s
 * in a gate), with offers, a store that takes its time, and all checkers on. On one core: nothing here runs beside it.
 */
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import { makePlan } from '../../src/testing/simulation/make-plan.js'
import { runPlan } from '../../src/testing/simulation/simulate.js'
import type { LogEntry } from '../../src/testing/virtual/log.js'
import { median, type Row } from './support/rows.js'

export const description = 'a rolling upgrade of 350 blocks in virtual time'

const blocks = 350
const machines = 35
const startMs = 60_000
const gateMs = 120_000
const rounds = 5
/** The deployment before it is not measured. */
const updateAtMs = 600_000

const fleet = (version: string): ServiceSpec =>
  defineService({
    name: 'fleet',
    pods: {
      node: {
        count: blocks,
        tasks: {
          server: {
            command: `./serve.sh ${version}`,
            cpus: 0.5,
            memoryMb: 128,
            readinessCheck: { command: './ready.sh', intervalMs: 10_000 },
          },
        },
      },
    },
    deploy: { phases: [{ pod: 'node', strategy: 'parallel' }] },
    update: { afterEach: [{ gate: 'caughtUp', timeoutMs: 600_000 }] },
  })

async function upgrade(): Promise<{
  readonly realMs: number
  readonly virtualMs: number
  readonly messages: readonly unknown[]
}> {
  const messages: unknown[] = []
  let begunMs = 0
  let begunAtMs = 0
  let endedAtMs = 0
  let endedMs = 0
  const onEntry = (entry: LogEntry): void => {
    if (entry.type === 'schedulerStarted' && entry.scheduler === 'a2') {
      begunMs = performance.now()
      begunAtMs = entry.atMs
    }
    if (begunMs === 0) return
    if (entry.type === 'callTaken') messages.push(entry.call)
    if (entry.type === 'eventSent') messages.push(entry.event)
    if (
      entry.type === 'committed' &&
      entry.writes.some(({ key, value }) => key === 'plans/update' && value?.includes('completedAtMs') === true)
    ) {
      endedMs = performance.now()
      endedAtMs = entry.atMs
    }
  }
  const plan = makePlan(fleet('1'), {
    seed: 1,
    faults: 'none',
    agents: machines,
    until: updateAtMs + 1,
    updates: [{ atMs: updateAtMs, spec: fleet('2') }],
    settleWithin: 2 * blocks * (startMs + gateMs),
  })
  const result = await runPlan(plan, {
    onEntry,
    behave: () => ({ readyAfterMs: startMs, stopsAfterMs: 500 }),
    hooks: (clock) => ({
      caughtUp: () => new Promise((resolve) => void clock.after(gateMs, () => resolve({ open: true, reason: 'caught up' }))),
    }),
  })
  const [violation] = result.violations
  if (violation !== undefined) throw new Error(`${violation.checker}: ${violation.text.slice(0, 500)}`)
  if (endedMs === 0) throw new Error('the upgrade has not ended')
  return { realMs: endedMs - begunMs, virtualMs: endedAtMs - begunAtMs, messages }
}

/** What nobody who speaks v1 JSON can do without: each message written and read once. */
function bareMessages(messages: readonly unknown[]): number {
  const begun = performance.now()
  for (const message of messages) JSON.parse(JSON.stringify(message))
  return performance.now() - begun
}

export async function run(): Promise<Row[]> {
  await upgrade()
  const runs = []
  for (let round = 0; round < rounds; round++) runs.push(await upgrade())
  const seconds = median(runs.map((each) => each.realMs)) / 1_000
  const virtualSeconds = (runs[0]?.virtualMs ?? 0) / 1_000
  const limit = median(runs.map((each) => bareMessages(each.messages))) / 1_000
  return [
    {
      name: `upgrade of ${blocks} blocks, ${(virtualSeconds / 3_600).toFixed(1)} virtual hours`,
      value: seconds,
      unit: 's',
      aim: 0.63,
      limit,
      better: 'lower',
    },
    {
      name: 'virtual time per real time',
      value: virtualSeconds / seconds,
      unit: 'x',
      aim: 100_000,
      limit: virtualSeconds / limit,
      better: 'higher',
    },
    { name: 'messages of the upgrade', value: runs[0]?.messages.length ?? 0, unit: '', better: 'lower' },
  ]
}
