/**
 * Deliberate faults: each is one or a few replacements in the source, made while a test build is bundled and nowhere else. The
 * simulation has to find every one of them; where it does not reach (an adapter that it replaces, a store restored from a backup),
 * the named test has to. A text that is no longer in its file is an error, so the list cannot rot.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import type { Plugin as VitestPlugin } from 'vitest/config'

export interface Edit {
  /** Below `src`. */
  readonly file: string
  /** Must be there exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  /** What the product would do. */
  readonly does: string
  readonly edits: readonly Edit[]
  /** The test that has to fail, where the simulation does not reach. */
  readonly heldBy?: string
}

const shell = 'runtime/run-loop.ts'
const loop = `      await store(parts.session, result.decisions, mustFence)
      state = result.state
      execute(parts, result)
`

const mutant = (name: string, does: string, ...edits: readonly (readonly [string, string, string])[]): Mutant => ({
  name,
  does,
  edits: edits.map(([file, find, replace]) => ({ file, find, replace })),
})

const heldBy = (heldBy: string, held: Mutant): Mutant => ({ ...held, heldBy })

export const mutants: readonly Mutant[] = [
  // Intent before effect.
  mutant('ack-before-storing', 'acknowledges a status before it is stored', [
    shell,
    loop,
    `      for (const outgoing of result.acks) void parts.driver.send(outgoing)
${loop}`,
  ]),
  mutant('send-before-storing', 'sends calls before the decision behind them is stored', [
    shell,
    loop,
    `      execute(parts, result)
      await store(parts.session, result.decisions, mustFence)
      state = result.state
`,
  ]),
  mutant('status-not-stored', 'acknowledges a status and keeps it in memory only', [
    'scheduler/task-status.ts',
    'if (saysSomethingNew(record, after, status)) draft.setTask(name, after)',
    "if (saysSomethingNew(record, after, status)) { if (status.state === 'RUNNING') (draft.records.tasks as Map<TaskName, TaskRecord>).set(name, after); else draft.setTask(name, after) }",
  ]),
  mutant(
    'decisions-torn',
    'stores the records of one decision one by one',
    [
      shell,
      '  for (const decision of decisions) {\n',
      '  for (const decision of decisions.flatMap((each) => each.map((write) => [write]))) {\n',
    ],
    [shell, 'if (open === undefined || bytes + size > limits.batchBytes) {', 'if (open === undefined || bytes + size > 0) {'],
  ),
  mutant('kill-not-stored', 'kills without storing that it decided to', [
    'scheduler/kills.ts',
    "if (record !== undefined) draft.setTask(task, advanceTask(record, { type: 'killDecided', atMs: draft.volatile.nowMs }).record)",
    "if (record?.context.launch !== undefined) draft.call({ type: 'kill', taskId: record.context.launch.taskId, agentId: record.context.launch.agentId })",
  ]),

  // Leadership.
  mutant(
    'no-epoch-check',
    'lets a deposed scheduler go on writing',
    ['store/memory-store.ts', 'if (epoch !== ownEpoch) {', 'if (epoch < ownEpoch) {'],
    ['store/memory-store.ts', "return expired ? ['lost', lost('it expired')] : undefined", 'return undefined'],
  ),
  mutant('no-fence-before-subscribe', 'subscribes without a fenced write', [
    'runtime/scheduler-process.ts',
    '          await session.commit([])\n          return frameworkInfo',
    '          return frameworkInfo',
  ]),
  mutant('no-fence-after-subscribed', 'makes the first call of a stream without a fenced write', [
    shell,
    "const mustFence = inHand.some(({ event }) => event.type === 'subscribed')",
    'const mustFence = false',
  ]),
  mutant('unknown-is-landed', 'takes a commit with an unknown outcome for stored', [
    'store/memory-store.ts',
    "          case 'unknownBefore':\n          case 'unknownAfter':\n",
    "          case 'unknownBefore':\n            queue.shift()\n            pending.resolve()\n            return true\n          case 'unknownAfter':\n",
  ]),

  // At most one.
  mutant('lost-is-an-end', 'takes LOST for the end of a task', [
    'state-machine/task-machine.ts',
    "  LOST: { target: 'unreachable', actions: 'note' },\n  UNREACHABLE",
    "  LOST: { target: 'ended', actions: 'endFailed' },\n  UNREACHABLE",
  ]),
  mutant('unreachable-is-an-end', 'takes UNREACHABLE for the end of a task', [
    'state-machine/task-machine.ts',
    "  UNREACHABLE: { target: 'unreachable', actions: 'note' },\n  UNKNOWN",
    "  UNREACHABLE: { target: 'ended', actions: 'endFailed' },\n  UNKNOWN",
  ]),
  mutant('unknown-is-an-end', 'takes UNKNOWN for the end of a task', [
    'state-machine/task-machine.ts',
    "  UNKNOWN: { target: 'unreachable', actions: 'note' },\n  GONE_BY_OPERATOR",
    "  UNKNOWN: { target: 'ended', actions: 'endFailed' },\n  GONE_BY_OPERATOR",
  ]),
  mutant('gone-by-operator-is-an-end', 'relaunches what an operator has declared gone', [
    'state-machine/task-machine.ts',
    "  GONE_BY_OPERATOR: { target: 'unreachable', actions: 'note' },\n} as const",
    "  GONE_BY_OPERATOR: { target: 'ended', actions: 'endFailed' },\n} as const",
  ]),
  mutant('forget-launch-in-flight', 'forgets a launch that nobody has told about yet', [
    'state-machine/task-record.ts',
    "record.value !== 'idle' && record.value !== 'ended'",
    "record.value !== 'idle' && record.value !== 'ended' && record.value !== 'launching'",
  ]),
  mutant('launch-twice-after-takeover', 'launches what its predecessor had launched and not heard of', [
    'scheduler/stored-records.ts',
    "else if (kind === 'tasks') tasks.set(name as TaskName, readRecord(key, text, taskKind))",
    "else if (kind === 'tasks') { const record = readRecord(key, text, taskKind); tasks.set(name as TaskName, record.value === 'launching' ? { ...record, value: 'ended' } : record) }",
  ]),
  mutant(
    'no-wait-for-answers',
    'acts on instances whose tasks the master has not told about',
    ['scheduler/step.ts', '    unansweredTasks: tasks,\n', '    unansweredTasks: new Map(),\n'],
    [
      'scheduler/assess.ts',
      "    if (record.value === 'unreachable') {\n      return {",
      "    if (record.value === 'unreachable' && volatile.nowMs < 0) {\n      return {",
    ],
  ),

  // The data.
  mutant('lost-accept-on-old-stream', 'goes on with the stream on which an ACCEPT was not answered', [
    'testing/virtual/calls.ts',
    'const noAnswer = (): void => parts.onDead(',
    'const noAnswer = (text: string): void => { void text; inHand = undefined; queue.shift(); connection?.close(); connection = undefined; sendNext() }; void (',
  ]),
  mutant('other-agent-id', 'uses a volume under a new agent id at once', [
    'scheduler/use-offers.ts',
    '  for (const [name, instance] of openInstances(draft)) {\n    const pool =',
    `  for (const [name, instance] of draft.records.instances) {
    const other = [...pools.values()].find((each) => instance.footprint?.entries.some((entry) => each.reserved.has(entry.resourceId)))
    if (other !== undefined && instance.footprint !== undefined && other.agentId !== instance.footprint.agentId) {
      draft.setInstance(name, { ...instance, footprint: { ...instance.footprint, agentId: other.agentId } })
      draft.decided()
    }
    const pool =`,
  ]),
  mutant('new-volume-for-old', 'takes a new footprint when a task has failed', [
    'scheduler/use-offers.ts',
    "    if (footprint.entries.some((entry) => entry.state !== 'wanted')) continue\n",
    '',
  ]),
  mutant('foreign-reservation', 'takes what somebody else has reserved', [
    'offer-evaluator/pool.ts',
    '  resource.reservations.length === 0 &&\n',
    '',
  ]),
  mutant('no-initialisation', 'starts a server on a footprint that was never initialised', [
    'scheduler/assess.ts',
    "  const initialising = tasks.find((task) => task.spec.goal === 'INIT' && !isInitialised(instance, task))",
    "  const initialising = tasks.find((task) => task.spec.goal === 'INIT' && !isInitialised(instance, task) && task.record.context.launch === undefined)",
  ]),
  mutant(
    'initialises-again',
    'initialises a footprint again when its server has failed',
    [
      'scheduler/assess.ts',
      '  instance.initialisedGeneration === instance.generation ||\n  (task.record.context.outcome',
      '  (task.record.backoff.failures === 0 && instance.initialisedGeneration === instance.generation && !instance.deployed) ||\n  (task.record.context.outcome',
    ],
    [
      'scheduler/assess.ts',
      'task.record.context.launch?.generation === instance.generation)\n',
      'task.record.context.launch?.generation === instance.generation && !instance.joined)\n',
    ],
  ),

  // Offers.
  mutant('ignore-rescind', 'uses offers that were rescinded', [
    'scheduler/step.ts',
    "      return void draft.edit('offers').delete(event.offerId)",
    '      return',
  ]),
  mutant(
    'offers-of-old-stream',
    'uses offers of a stream that is over',
    [
      'scheduler/step.ts',
      'stream: undefined, offers: new Map(), offersWantedFor: undefined })',
      'stream: undefined, offersWantedFor: undefined })',
    ],
    ['scheduler/step.ts', 'sinceMs: event.atMs },\n    offers: new Map(),', 'sinceMs: event.atMs },'],
  ),
  mutant('accept-again', 'sends an ACCEPT a second time', [
    shell,
    '  for (const outgoing of result.calls) void driver.send(outgoing)\n',
    `  for (const outgoing of result.calls) {
    void driver.send(outgoing)
    if (outgoing.call.type === 'accept') void driver.send(outgoing)
  }
`,
  ]),
  mutant('never-decline', 'keeps offers that it does not need', [
    'scheduler/offer-policy.ts',
    '    if (!keep.has(offer.agentId)) declined.push(id)\n',
    '    if (!keep.has(offer.agentId)) continue\n',
  ]),

  // Plans, budget, back-off.
  mutant('lost-back-off', 'relaunches a failed task at once', [
    'recovery/backoff.ts',
    'notBeforeMs: atMs + Math.round(delay)',
    'notBeforeMs: atMs',
  ]),
  mutant('back-off-forgotten-at-restart', 'forgets the back-off when the scheduler restarts', [
    'scheduler/stored-records.ts',
    "else if (kind === 'tasks') tasks.set(name as TaskName, readRecord(key, text, taskKind))",
    "else if (kind === 'tasks') tasks.set(name as TaskName, { ...readRecord(key, text, taskKind), backoff: { failures: 0, notBeforeMs: 0 } })",
  ]),
  mutant('no-budget', 'takes an instance down while another one is down', [
    'scheduler/disruption-budget.ts',
    "  if (state.volatile.stream === undefined) return 'no connection to the master'\n  return unsettledBeside(state, except)",
    '  return undefined',
  ]),
  mutant(
    'restart-without-budget',
    'restarts a pod while another one is down',
    [
      'scheduler/claims.ts',
      'isRestartDue(draft.records, instance) && (!isServing(draft.records, instance) || updateBlocker(draft, name) === undefined)',
      'isRestartDue(draft.records, instance)',
    ],
    [
      'scheduler/kills.ts',
      "if (need.kind === 'kill' && restartBlocker(draft, instance) === undefined)",
      "if (need.kind === 'kill')",
    ],
  ),
  mutant(
    'roll-all-at-once',
    'rolls every instance at once',
    [
      'scheduler/claims.ts',
      "if (run.paused || isOwned(draft, 'update')) return forgetAnswers(draft, run)",
      'if (run.paused) return forgetAnswers(draft, run)',
    ],
    ['scheduler/claims.ts', '  if (updateBlocker(draft) !== undefined) return forgetAnswers(draft, run)\n', ''],
  ),
  mutant('deploy-all-at-once', 'deploys all instances of a serial phase at once', [
    'scheduler/claims.ts',
    "phase.strategy === 'serial' ? left.slice(0, 1) : left",
    'left',
  ]),
  mutant('restart-rolls', 'restarts running tasks when it starts', [
    'scheduler/stored-records.ts',
    "else if (kind === 'instances') instances.set(name as PodInstanceName, readRecord(key, text, instanceKind))",
    "else if (kind === 'instances') { const record = readRecord(key, text, instanceKind); instances.set(name as PodInstanceName, record.deployed ? { ...record, restartBeforeMs: 9e15 } : record) }",
  ]),
  mutant('run-begins-anew', 'begins the update run anew at every restart', [
    'scheduler/stored-records.ts',
    '      runs.set(run.plan, run)\n',
    "      runs.set(run.plan, run.plan === 'update' && run.completedAtMs === undefined ? { ...run, runId: (run.runId + 'x') as typeof run.runId } : run)\n",
  ]),

  // What is lost on the way.
  mutant('kill-once', 'sends a KILL once and never again', [
    'scheduler/kills.ts',
    'if (sentAtMs !== undefined && nowMs - sentAtMs < killRepeatMs) continue',
    'if (sentAtMs !== undefined) continue',
  ]),
  mutant('asks-once', 'asks a new master once and never again', [
    'scheduler/reconcile.ts',
    '  tries === 0 ? 0 : askedAtMs + Math.min(maxPauseMs, firstPauseMs * 2 ** (tries - 1))',
    '  tries === 0 ? 0 : askedAtMs + 1e12',
  ]),
  mutant(
    'sleeps-too-long',
    'overlooks the end of a back-off',
    ['scheduler/quiet.ts', '    for (const { record } of tasksOf(records, instance)) consider(record.backoff.notBeforeMs)\n', ''],
    [
      'scheduler/reconcile.ts',
      '  Math.min(doubtsAskedAtMs + doubtAfterMs, reconciledAtMs + periodMs)',
      '  (doubtsAskedAtMs + reconciledAtMs) * 9',
    ],
    ['scheduler/quiet.ts', '    consider(block.startedAtMs + brokenAfterMs)\n', ''],
  ),
  mutant(
    'forgets-operations',
    'does not ask what became of reservations after a new subscription',
    ['scheduler/reconcile.ts', 'operations.set(operation.id, neverAsked)\n  }\n  return', 'void operation\n  }\n  return'],
    [
      'scheduler/reconcile.ts',
      '      if (isOld && !draft.volatile.unansweredOperations.has(id)) draft',
      '      if (isOld && id === undefined) draft',
    ],
  ),
  mutant('suppress-for-ever', 'does not call for offers once it has suppressed them', [
    'scheduler/offer-policy.ts',
    '} else if (known === undefined || [...names].some((name) => !known.has(name))) {',
    '} else if (known === undefined) {',
  ]),
  mutant('hook-asked-once', "waits for ever for an author's hook that has failed", [
    'plan/gates.ts',
    "const due = question.state === 'asking' ? !inFlight(question.runId) : ",
    "const due = question.state === 'asking' ? false : ",
  ]),

  // Out of the simulation's reach.
  heldBy(
    'test/scheduler/recovery.test.ts',
    mutant('kill-strangers', 'kills a task that the store does not know', [
      'scheduler/task-status.ts',
      '  else strangers.set(status.taskId, status)',
      "  else if (status.agentId !== undefined) draft.call({ type: 'kill', taskId: status.taskId, agentId: status.agentId })",
    ]),
  ),
  heldBy(
    'test/scheduler/recovery.test.ts',
    mutant('launch-beside-strangers', 'launches beside a task that the store does not know', [
      'scheduler/assess.ts',
      '  if (stranger !== undefined) {',
      "  if (stranger?.state === 'KILLING') {",
    ]),
  ),
  heldBy(
    'test/scheduler/recovery.test.ts',
    mutant('ghost-not-killed', 'lets an earlier launch live that counted as gone', [
      'scheduler/task-status.ts',
      '  if (!signsOfLife.has(state) || agentId === undefined) return',
      "  if (state !== 'KILLING' || agentId === undefined) return",
    ]),
  ),
  heldBy(
    'test/scheduler/recovery.test.ts',
    mutant('no-doubts', 'never asks again for what nobody tells about', [
      'scheduler/reconcile.ts',
      '  doubt(draft)\n  askTasks',
      '  askTasks',
    ]),
  ),
  heldBy(
    'test/state-machine/task-machine.test.ts',
    mutant('dropped-is-always-an-end', 'takes a DROPPED of a running task for its end', [
      'state-machine/task-machine.ts',
      "  DROPPED: [{ guard: 'neverSeen', target: 'ended', actions: 'endNeverRan' }, { actions: 'note' }],",
      "  DROPPED: { target: 'ended', actions: 'endNeverRan' },",
    ]),
  ),
  heldBy(
    'test/scheduler/damaged-records.test.ts',
    mutant('no-seal', 'decides on a record that was damaged', [
      'scheduler/records/record-text.ts',
      '  if (!isSealed(key, text))',
      '  if (!sealPattern.test(text))',
    ]),
  ),
  heldBy(
    'test/scheduler/stored-records.test.ts',
    mutant('newer-version-read', 'reads a record of a newer version as if it knew it', [
      'scheduler/records/record-text.ts',
      '  if (v > version) throw',
      '  if (v > version + 90) throw',
    ]),
  ),
  heldBy(
    'test/scheduler/founding.test.ts',
    mutant('founds-anew', 'founds a second service on an empty store', [
      'scheduler/founding.ts',
      '  if (traces.length > 0 || (mine.length > 0 && !isBegun)) {',
      '  if (traces.length < 0) {',
    ]),
  ),
  heldBy(
    'test/store/commit-chain.test.ts',
    mutant('bad-version-is-deposed', 'takes BAD_VERSION for a deposition, without reading whose batch stands', [
      'store/commit-chain.ts',
      '      doubt.isContradicted = true\n',
      "      return end('deposed', options.deposed('a version'))\n",
    ]),
  ),
  heldBy(
    'test/store/commit-chain.test.ts',
    mutant('other-batch-after-unknown', 'sends the next batch in the place of one whose outcome is unknown', [
      'store/commit-chain.ts',
      "    if (error.failure === 'CONNECTION_LOSS') return\n",
      "    if (error.failure === 'CONNECTION_LOSS') return void pending.splice(pending.indexOf(item), 1).forEach(({ resolve }) => resolve())\n",
    ]),
  ),
]

const src = join(import.meta.dirname, '../../src')

/** Puts the fault into the files as they are bundled. */
export function mutate({ name, edits }: Mutant): Plugin {
  return {
    name,
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        const own = edits.filter((edit) => join(src, edit.file) === path)
        return own.length === 0 ? undefined : { contents: own.reduce(applyEdit, readFileSync(path, 'utf8')), loader: 'ts' }
      })
    },
  }
}

/** The same for the test runner. */
export const mutateForTests = ({ name, edits }: Mutant): VitestPlugin => ({
  name,
  enforce: 'pre',
  transform(text, id) {
    const own = edits.filter((edit) => join(src, edit.file) === id)
    return own.length === 0 ? undefined : own.reduce(applyEdit, text)
  },
})

/** @throws Error when the text is not there exactly once. */
export function applyEdit(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`src/${file} has ${parts.length - 1} times, and not once: ${find}`)
  return parts.join(replace)
}
