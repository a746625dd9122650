/** Which instances a step looks at is kept up with each change, and leaves out none that has anything to do. */
import { beforeAll, expect, test } from 'vitest'
import { streamId, type PodInstanceName } from '../../src/ids.js'
import { createDraft } from '../../src/scheduler/draft.js'
import { newState } from '../../src/scheduler/open-instances.js'
import type { InstanceRecord } from '../../src/scheduler/records/instance-record.js'
import type { Records, State } from '../../src/scheduler/state.js'
import { step } from '../../src/scheduler/step.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { collectStores } from '../support/collect-stores.js'

let history: Records[]
beforeAll(async () => {
  history = (await collectStores()).map(parseRecords)
})

/** Every change of one commit, made in a draft. */
function advance(state: State, next: Records): State {
  const draft = createDraft(state)
  for (const target of next.targets.values()) if (!state.records.targets.has(target.id)) draft.setTarget(target)
  for (const [name, record] of next.instances) draft.setInstance(name, record)
  for (const [name, record] of next.tasks) draft.setTask(name, record)
  for (const name of state.records.instances.keys()) if (!next.instances.has(name)) draft.deleteInstance(name)
  return draft.result().state
}

const sorted = (names: ReadonlySet<PodInstanceName>): string[] => [...names].sort()

test('changes keep it as it would be after a restart', () => {
  let state = newState(history[0] as Records)
  const seen = new Set<number>()
  for (const records of history) {
    state = advance(state, records)
    const { openInstances } = state.volatile
    seen.add(openInstances.size)
    expect(sorted(openInstances)).toEqual(sorted(newState(records).volatile.openInstances))
  }
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
})

/** As stored, and as after what an operator can ask for. */
function withCommands(records: Records): Records[] {
  const commands: Partial<InstanceRecord>[] = [{ paused: true }, { restartBeforeMs: Number.MAX_SAFE_INTEGER }]
  const commanded = commands.flatMap((command) =>
    [...records.instances]
      .filter(([, { deployed }]) => deployed)
      .slice(0, 1)
      .map(([name, instance]) => ({ ...records, instances: new Map(records.instances).set(name, { ...instance, ...command }) })),
  )
  return [records, ...commanded]
}

test('a step that looks at everything decides nothing else', () => {
  const connected = (records: Records): State => {
    const state = newState(records)
    const frameworkId = records.service?.frameworkId
    if (frameworkId === undefined) return state
    return { ...state, volatile: { ...state.volatile, stream: { id: streamId('s'), frameworkId, sinceMs: 0 } } }
  }
  const decide = (state: State) => {
    const { records } = state
    const nowMs = Math.max(0, ...[...records.tasks.values()].map(({ backoff }) => backoff.notBeforeMs + 1))
    const { decisions, calls, jobs } = step(state, [{ type: 'ticked', atMs: nowMs }], { ids: createCountingIds() })
    return { decisions, calls, jobs }
  }
  let decided = 0
  for (const records of history.flatMap(withCommands)) {
    const state = connected(records)
    const all = new Set(records.instances.keys())
    const found = decide(state)
    decided += found.decisions.length
    expect(found).toEqual(decide({ ...state, volatile: { ...state.volatile, openInstances: all } }))
  }
  expect(decided).toBeGreaterThan(10)
})
