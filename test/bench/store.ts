/**
 * What the store costs, on a real ZooKeeper: task statuses that the real core decides on and the real loop stores before it
 * acknowledges them, beside bare transactions with the same content; and a takeover, from the moment the lock is given back.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { frameworkId, streamId, type FrameworkId } from '../../src/ids.js'
import { startZooKeeper } from '../../src/local-cluster/zookeeper.js'
import type { Batch, StateStore, StoreSession } from '../../src/ports/state-store.js'
import { randomIds, systemClock } from '../../src/runtime/process-inputs.js'
import { createRunLoop, type RunLoop } from '../../src/runtime/run-loop.js'
import { newState } from '../../src/scheduler/open-instances.js'
import type { Ack, MesosCall, Outgoing } from '../../src/scheduler/output.js'
import type { State } from '../../src/scheduler/state.js'
import { step } from '../../src/scheduler/step.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import { createZooKeeperClient, type Operation, type ZooKeeperClient } from '../../src/store/zookeeper-client.js'
import { createZooKeeperStore } from '../../src/store/zookeeper-store.js'
import { median, type Row } from './support/rows.js'
import { storedService, type StoredService } from './support/stored-service.js'

export const description = 'task statuses stored in ZooKeeper, and a takeover with 10,000 tasks'

const tasks = 10_000
const rounds = 5
/** Statuses of each task that are measured. */
const statusesPerTask = 3
/** Bare transactions under way at once; more gain nothing. */
const bareWindow = 64
const readWindow = 8
const readGroup = 50

export async function run(): Promise<Row[]> {
  const workDir = await mkdtemp(path.join(tmpdir(), 'stateward-bench-'))
  // 40 MB of records want more than the heap that is enough for tests. Of all ways to say so, this one counts last.
  process.env['_JAVA_OPTIONS'] = '-Xmx4g'
  const server = await startZooKeeper({ workDir })
  try {
    const service = await storedService(tasks)
    const store = createZooKeeperStore({ connect: `${server.connect}/bench`, service: 'fleet' })
    await fill(store, service)
    const client = createZooKeeperClient({ servers: server.connect, sessionTimeoutMs: 30_000, log: () => undefined })
    await client.connected(30_000)
    const statuses = await measureStatuses(store, service, client)
    const takeovers = await measureTakeovers(store, service, client)
    await client.close()
    return [...statuses, ...takeovers]
  } finally {
    await server.kill()
    await rm(workDir, { recursive: true, force: true })
  }
}

async function fill(store: StateStore, { records }: StoredService): Promise<void> {
  const session = await store.open({ holder: 'bench', lockWaitMs: 0 })
  const writes = [...records].map(([key, value]) => ({ key, value }))
  const commits: Promise<void>[] = []
  for (let from = 0; from < writes.length; from += 200) commits.push(session.commit(writes.slice(from, from + 200)))
  await Promise.all(commits)
  await session.close()
}

// Statuses.

/** A master and its agents at their fastest: a task's next status is there as soon as the one before is acknowledged. */
interface Feed {
  readonly loop: RunLoop
  /** Resolves when every task has had so many more statuses acknowledged. */
  send(perTask: number): Promise<void>
}

const stream = streamId('bench')

function createFeed(session: StoreSession, service: StoredService): Feed {
  const state = newState(parseRecords(session.records))
  const launches = [...state.records.tasks.values()].flatMap(({ context: { launch } }) => (launch === undefined ? [] : [launch]))
  const sent = new Map<string, number>(launches.map(({ taskId }) => [taskId, 0]))
  const launchOf = new Map(launches.map((launch) => [launch.taskId, launch]))
  let upTo = 0
  let open = 0
  let done: () => void = () => undefined

  const report = (taskId: (typeof launches)[number]['taskId']): void => {
    const launch = launchOf.get(taskId)
    if (launch === undefined) return
    const number = (sent.get(taskId) ?? 0) + 1
    sent.set(taskId, number)
    loop.push({
      type: 'taskStatusReceived',
      atMs: Date.now(),
      status: {
        taskId,
        agentId: launch.agentId,
        executorId: launch.executorId,
        state: 'RUNNING',
        source: 'EXECUTOR',
        reason: 'TASK_CHECK_STATUS_UPDATED',
        // Differs from the last one, so that it is stored.
        message: `check ${number % 10}`,
        checkExitCode: 0,
        uuid: `${number}`,
      },
    })
  }
  const onCall = ({ call }: Outgoing<MesosCall | Ack>): void => {
    if (call.type !== 'acknowledgeTask') return
    if ((sent.get(call.taskId) ?? 0) < upTo) report(call.taskId)
    else if ((open -= 1) === 0) done()
  }
  const loop = createRunLoop(state, {
    session,
    driver: {
      start: () => undefined,
      send: (outgoing) => Promise.resolve(onCall(outgoing)),
      close: () => Promise.resolve(),
    },
    env: { ids: randomIds },
    clock: systemClock,
    runJob: () => undefined,
    onStep: () => undefined,
    onFatal: (error) => {
      throw error
    },
    onOverflow: () => {
      throw new Error('more events than the loop takes')
    },
  })
  for (const event of beginning(service, state)) loop.push(event)
  return {
    loop,
    send: (perTask) =>
      new Promise((resolve) => {
        done = resolve
        upTo += perTask
        open = launches.length
        for (const { taskId } of launches) report(taskId)
      }),
  }
}

const frameworkOf = (state: State): FrameworkId => state.records.service?.frameworkId ?? frameworkId('none')

const beginning = ({ spec }: StoredService, state: State) =>
  [
    { type: 'targetSubmitted', spec, atMs: Date.now() },
    { type: 'subscribed', streamId: stream, frameworkId: frameworkOf(state), atMs: Date.now() },
  ] as const

async function measureStatuses(store: StateStore, service: StoredService, client: ZooKeeperClient): Promise<Row[]> {
  const session = await store.open({ holder: 'bench', lockWaitMs: 0 })
  const batches: Batch[] = []
  const commit = (batch: Batch): Promise<void> => {
    batches.push(batch)
    return session.commit(batch)
  }
  const feed = createFeed({ ...session, commit }, service)
  // Answers everything that is asked after subscribing, and warms up.
  await feed.send(2)
  const rates: number[] = []
  const limits: number[] = []
  const shares: number[] = []
  const storeShares: number[] = []
  const bare = await prepareBare(client)
  for (let round = 0; round < rounds; round += 1) {
    batches.length = 0
    const begun = performance.now()
    await feed.send(statusesPerTask)
    const rate = (tasks * statusesPerTask) / (performance.now() - begun)
    const limit = (tasks * statusesPerTask) / (await bare(batches))
    const stored = performance.now()
    await Promise.all(batches.map((batch) => session.commit(batch)))
    storeShares.push((100 * (tasks * statusesPerTask)) / (performance.now() - stored) / limit)
    rates.push(rate * 1_000)
    limits.push(limit * 1_000)
    shares.push((100 * rate) / limit)
  }
  const stored = batches.flat().length
  if (stored < tasks * statusesPerTask) throw new Error(`only ${stored} of ${tasks * statusesPerTask} statuses were stored`)
  const bytes = batches.flat().reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  await feed.loop.stop()
  await session.close()
  return [
    {
      name: 'task statuses stored and acknowledged, share of bare transactions',
      value: median(shares),
      unit: '%',
      aim: 60,
      limit: 100,
      better: 'higher',
    },
    {
      name: 'of it: the same batches through the store alone, share of bare transactions',
      value: median(storeShares),
      unit: '%',
      limit: 100,
      better: 'higher',
    },
    { name: 'task statuses stored and acknowledged', value: median(rates), unit: '/s', limit: median(limits), better: 'higher' },
    { name: 'statuses per transaction', value: stored / batches.length, unit: '', better: 'higher' },
    { name: 'bytes of a task record', value: bytes / stored, unit: 'B', better: 'lower' },
  ]
}

/** Writes what the batches hold to nodes that nobody else writes, as fast as the client and the server can; answers the milliseconds. */
async function prepareBare(client: ZooKeeperClient): Promise<(batches: readonly Batch[]) => Promise<number>> {
  const root = '/bare'
  await client.create(root, '')
  const pathOf = (key: string): string => `${root}/${key.replace('/', '-')}`
  const known = new Set<string>()
  return async (batches) => {
    const keys = new Set(batches.flatMap((batch) => batch.map(({ key }) => key)))
    const missing = [...keys].filter((key) => !known.has(key))
    for (let from = 0; from < missing.length; from += 1_000) {
      const part = missing.slice(from, from + 1_000)
      await client.transact(part.map((key) => ({ type: 'create', path: pathOf(key), data: '' })))
      for (const key of part) known.add(key)
    }
    const transactions = batches.map((batch) =>
      batch.map(({ key, value }): Operation => ({ type: 'set', path: pathOf(key), data: value ?? '' })),
    )
    const begun = performance.now()
    await inParallel(bareWindow, transactions, (operations) => client.transact(operations))
    return performance.now() - begun
  }
}

async function inParallel<Item>(width: number, items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

// Takeover.

async function measureTakeovers(store: StateStore, service: StoredService, client: ZooKeeperClient): Promise<Row[]> {
  const whole: number[] = []
  const loaded: number[] = []
  const decided: number[] = []
  const bare: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const first = await store.open({ holder: 'first', lockWaitMs: 0 })
    let waiting!: () => void
    const waits = new Promise<void>((resolve) => (waiting = resolve))
    const second = store.open({ holder: 'second', lockWaitMs: 60_000, onWaiting: waiting })
    await waits
    const begun = performance.now()
    await first.close()
    const session = await second
    const opened = performance.now()
    decide(service, session)
    const ended = performance.now()
    whole.push((ended - begun) / 1_000)
    loaded.push((opened - begun) / 1_000)
    decided.push((ended - opened) / 1_000)
    await session.close()
    bare.push((await readBare(client, session.records.keys())) / 1_000)
  }
  return [
    {
      name: 'takeover with 10,000 tasks: lock given back to first decision',
      value: median(whole),
      unit: 's',
      aim: 2,
      limit: median(bare),
      better: 'lower',
    },
    { name: 'of it: lock, epoch and 20,000 records', value: median(loaded), unit: 's', limit: median(bare), better: 'lower' },
    { name: 'of it: records to state and first decision', value: median(decided), unit: 's', better: 'lower' },
  ]
}

/** What a new leader decides first: nothing new for the spec it was started with, and whom to ask after subscribing. */
function decide(service: StoredService, session: StoreSession): void {
  let state = newState(parseRecords(session.records))
  const env = { ids: randomIds }
  for (const event of beginning(service, state)) {
    const result = step(state, [event], env)
    if (result.decisions.length > 0) throw new Error('a takeover of a service at rest changed a record')
    state = result.state
  }
  if (state.volatile.unansweredTasks.size !== tasks) throw new Error('the first decision asks for other tasks than expected')
}

/** All records, in the largest requests that gain something. */
async function readBare(client: ZooKeeperClient, keys: Iterable<string>): Promise<number> {
  const paths = [...keys].map((key) => `/bench/fleet/records/${key}`)
  const groups = Array.from({ length: Math.ceil(paths.length / readGroup) }, (_, index) =>
    paths.slice(index * readGroup, (index + 1) * readGroup),
  )
  const begun = performance.now()
  await inParallel(readWindow, groups, (group) => client.readMany(group))
  return performance.now() - begun
}
