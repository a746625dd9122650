/** The local cluster with real processes: what a task, an executor, an agent and a machine look like when they end. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LocalCluster, LocalTask } from '../../src/local-cluster.js'
import type { TaskInfo } from '../../src/mesos/messages.js'
import { startLocalCluster } from '../../src/local-cluster.js'
import { isRunning, markProcess } from '../../src/local-cluster/processes.js'
import { cpusOf, group, holdsVolume, reserveAndCreate, scalar, task, volume } from './messages.js'
import { connectScheduler } from './scheduler-client.js'
import type { SchedulerClient } from './scheduler-client.js'

const AGENT = '127.0.0.1'
const workDir = mkdtempSync(join(tmpdir(), 'stateward-cluster-'))
let cluster: LocalCluster
let scheduler: SchedulerClient

beforeAll(async () => {
  const timings = { agentPingTimeoutMs: 500, maxAgentPingTimeouts: 3, executorReregistrationTimeoutMs: 10_000 }
  cluster = await startLocalCluster({ agents: 2, workDir, timings, agentDefaults: { cpus: 16, memoryMb: 16_384 } })
})

afterAll(async () => {
  const pids = [...cluster.agents().flatMap((agent) => agent.pid ?? []), ...cluster.tasks().map((running) => running.pid)]
  const marks = pids.map(markProcess)
  await cluster.close()
  for (const mark of marks) expect(mark === undefined || !isRunning(mark)).toBe(true)
  rmSync(workDir, { recursive: true, force: true })
})

beforeEach(async () => {
  scheduler = await connectScheduler(cluster.masterUrl)
})

afterEach(async () => {
  await scheduler.call({ type: 'TEARDOWN' })
})

const running = (taskId: string): LocalTask => {
  const found = cluster.tasks().find((one) => one.taskId === taskId)
  if (found === undefined) throw new Error(`${taskId} does not run`)
  return found
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Reservation, volume and a task on them, in one call. */
async function launchOnVolume(id: string, command: string): Promise<LocalTask> {
  const offer = await scheduler.waitForOffer(AGENT, (one) => cpusOf(one) > 1.5)
  const withVolume = task(offer, `task-${id}`, command, {
    resources: [scalar('cpus', 0.2, true), scalar('mem', 32, true), volume(id)],
  })
  await scheduler.accept([offer], [...reserveAndCreate(id), group(scheduler.frameworkId(), `executor-${id}`, [withVolume])])
  await scheduler.waitForStatus(`task-${id}`, 'TASK_RUNNING')
  return running(`task-${id}`)
}

describe('tasks', () => {
  it('runs in its sandbox with its environment, its volume and its artifact', async () => {
    const artifact = join(workDir, 'artifact.txt')
    writeFileSync(artifact, 'fetched')
    const offer = await scheduler.waitForOffer(AGENT)
    const command = {
      value: 'echo "$GREETING $MESOS_ALLOCATION_ROLE $PWD" > data/seen; cat artifact.txt; exec sleep 1000',
      environment: { variables: [{ name: 'GREETING', value: 'hello' }] },
      uris: [{ value: `file://${artifact}` }],
    }
    const resources = [scalar('cpus', 0.2, true), scalar('mem', 32, true), volume('sandbox')]
    await scheduler.accept(
      [offer],
      [
        ...reserveAndCreate('sandbox'),
        group(scheduler.frameworkId(), 'e-sandbox', [task(offer, 't-sandbox', '', { command, resources })]),
      ],
    )
    await scheduler.waitForStatus('t-sandbox', 'TASK_RUNNING')
    const { sandbox, volumes } = running('t-sandbox')
    await until(
      'the volume is written',
      () => existsSync(join(volumes[0] ?? '', 'seen')) && readFileSync(join(volumes[0] ?? '', 'seen'), 'utf8').endsWith('\n'),
    )
    expect(readFileSync(join(volumes[0] ?? '', 'seen'), 'utf8')).toBe(`hello web ${sandbox}\n`)
    await until('the output is there', () => readFileSync(join(sandbox, 'stdout'), 'utf8') === 'fetched')
  })

  it('keeps the volume from one task to the next', async () => {
    await launchOnVolume('kept', 'echo one >> data/log; exec sleep 1000')
    const from = scheduler.events.length
    await scheduler.call({ type: 'KILL', kill: { task_id: { value: 'task-kept' } } })
    await scheduler.waitForStatus('task-kept', 'TASK_KILLED')
    await scheduler.waitFor('the executor to end', (events) => events.find((event) => event.type === 'FAILURE'), from)
    const offer = await scheduler.waitForOffer(AGENT, holdsVolume('kept'))
    const resources = [scalar('cpus', 0.2, true), scalar('mem', 32, true), volume('kept')]
    // The pieces of the ended group come in several offers: all are taken together.
    await scheduler.accept(scheduler.offersOf(AGENT), [
      group(scheduler.frameworkId(), 'executor-kept-2', [
        task(offer, 'task-kept-2', 'echo two >> data/log; exec sleep 1000', { resources }),
      ]),
    ])
    await scheduler.waitForStatus('task-kept-2', 'TASK_RUNNING')
    const log = join(running('task-kept-2').volumes[0] ?? '', 'log')
    await until('both tasks have written', () => readFileSync(log, 'utf8') === 'one\ntwo\n')
  })

  it('is killed while its artifact is being fetched from a server that hangs', async () => {
    let isAsked = false
    const server = createServer(() => (isAsked = true))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    try {
      const { port } = server.address() as AddressInfo
      const command = { value: 'exec sleep 1000', uris: [{ value: `http://127.0.0.1:${port}/artifact.txt` }] }
      const offer = await scheduler.waitForOffer('127.0.0.2')
      const fetching = task(offer, 't-fetching', '', { command }, false)
      await scheduler.accept([offer], [group(scheduler.frameworkId(), 'e-fetching', [fetching], false)])
      await until('the server is asked', () => isAsked)
      await scheduler.call({ type: 'KILL', kill: { task_id: { value: 't-fetching' } } })
      await scheduler.waitForStatus('t-fetching', 'TASK_KILLED')
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('is killed with its whole tree when it ignores SIGTERM beyond the grace period', async () => {
    const offer = await scheduler.waitForOffer('127.0.0.2')
    const killPolicy = { grace_period: { nanoseconds: 300_000_000 } }
    const stubborn = task(
      offer,
      't-stubborn',
      "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $! > child; while :; do sleep 1; done",
      { kill_policy: killPolicy },
      false,
    )
    await scheduler.accept([offer], [group(scheduler.frameworkId(), 'e-stubborn', [stubborn], false)])
    await scheduler.waitForStatus('t-stubborn', 'TASK_RUNNING')
    const { pid, sandbox } = running('t-stubborn')
    await until(
      'the child is known',
      () => existsSync(join(sandbox, 'child')) && readFileSync(join(sandbox, 'child'), 'utf8') !== '',
    )
    const child = Number(readFileSync(join(sandbox, 'child'), 'utf8'))
    const marks = [markProcess(pid), markProcess(child)]
    await scheduler.call({ type: 'KILL', kill: { task_id: { value: 't-stubborn' } } })
    await scheduler.waitForStatus('t-stubborn', 'TASK_KILLING')
    const killed = await scheduler.waitForStatus('t-stubborn', 'TASK_KILLED')
    expect(killed.message).toBe('Command terminated with signal Killed')
    for (const mark of marks) expect(mark === undefined || !isRunning(mark)).toBe(true)
  })

  it('reports the result of a command check', async () => {
    const offer = await scheduler.waitForOffer('127.0.0.2')
    const check = {
      type: 'COMMAND' as const,
      command: { command: { value: 'test -e ready' } },
      delay_seconds: 0,
      interval_seconds: 0.1,
    }
    await scheduler.accept(
      [offer],
      [
        group(
          scheduler.frameworkId(),
          'e-check',
          [task(offer, 't-check', 'sleep 0.5; touch ready; exec sleep 1000', { check }, false)],
          false,
        ),
      ],
    )
    const passed = await scheduler.waitFor('a passed check', () =>
      scheduler.statuses('t-check').find((status) => status.check_status?.command?.exit_code === 0),
    )
    expect(passed.state).toBe('TASK_RUNNING')
    expect(passed.reason).toBe('REASON_TASK_CHECK_STATUS_UPDATED')
  })

  it('fails when its process is killed, and takes its group along', async () => {
    const offer = await scheduler.waitForOffer('127.0.0.2')
    const tasks = ['t-first', 't-second'].map((id) => task(offer, id, 'exec sleep 1000', {}, false))
    await scheduler.accept([offer], [group(scheduler.frameworkId(), 'e-fate', tasks, false)])
    await scheduler.waitForStatus('t-first', 'TASK_RUNNING')
    await scheduler.waitForStatus('t-second', 'TASK_RUNNING')
    process.kill(running('t-first').pid, 'SIGKILL')
    expect((await scheduler.waitForStatus('t-first', 'TASK_FAILED')).message).toBe('Command terminated with signal Killed')
    await scheduler.waitForStatus('t-second', 'TASK_KILLED')
  })
})

describe('what a container asks for', () => {
  const launchOne = async (id: string, extras: Partial<TaskInfo>, command: string = 'exec sleep 1000'): Promise<void> => {
    const offer = await scheduler.waitForOffer('127.0.0.2', (one) => cpusOf(one) > 1)
    const info = task(offer, id, command, { ...extras, command: { value: command, ...extras.command } }, false)
    await scheduler.accept([offer], [group(scheduler.frameworkId(), `e-${id}`, [info], false)])
  }

  it('is there: limits of its processes, directories of the machine, files under names of their own', async () => {
    const shared = join(workDir, 'shared')
    mkdirSync(shared)
    writeFileSync(join(shared, 'given'), 'from the machine')
    const extras: Partial<TaskInfo> = {
      command: { uris: [{ value: `file://${shared}/given`, extract: false, output_file: 'conf/named' }] },
      container: {
        type: 'MESOS',
        volumes: [{ mode: 'RW', container_path: 'here', host_path: shared }],
        rlimit_info: { rlimits: [{ type: 'RLMT_NOFILE', soft: 40, hard: 50 }, { type: 'RLMT_CORE' }] },
      },
    }
    await launchOne('t-there', extras, '(ulimit -Sn; ulimit -Hn; cat conf/named) > here/seen; echo >> here/seen; exec sleep 1000')
    expect((await scheduler.waitForStatus('t-there', 'TASK_RUNNING')).message).toBeUndefined()
    const seen = join(shared, 'seen')
    await until('it has looked', () => existsSync(seen) && readFileSync(seen, 'utf8').endsWith('machine\n'))
    expect(readFileSync(seen, 'utf8')).toBe('40\n50\nfrom the machine\n')
  })

  it('is left out where it would only keep tasks apart, and the status says so', async () => {
    await launchOne('t-apart', {
      command: { user: 'nobody' },
      limits: { cpus: { value: 'Infinity' } },
      container: {
        type: 'MESOS',
        linux_info: { share_cgroups: false, seccomp: { profile_name: 'strict' }, ipc_mode: 'PRIVATE', shm_size: 32 },
      },
    })
    expect((await scheduler.waitForStatus('t-apart', 'TASK_RUNNING')).message).toBe(
      'The local cluster isolates nothing; left out: user nobody, limits of resources, seccomp profile strict, a private IPC namespace, the size of /dev/shm',
    )
  })

  const volumeOf = (source: object): Partial<TaskInfo> => ({
    container: { type: 'MESOS', volumes: [{ mode: 'RO', container_path: 'x', source: source as never }] },
  })
  const secret = { type: 'REFERENCE', reference: { name: 's' } } as const
  it.each<[string, Partial<TaskInfo>, RegExp]>([
    [
      'image',
      { container: { type: 'MESOS', mesos: { image: { type: 'DOCKER', docker: { name: 'redis:7' } } } } },
      /Image 'redis:7' needs/,
    ],
    ['driver', volumeOf({ type: 'DOCKER_VOLUME', docker_volume: { driver: 'nfs', name: 'v' } }), /Volume 'x' is of driver 'nfs'/],
    ['file', volumeOf({ type: 'SECRET', secret }), /File 'x' is a secret/],
    ['variable', { command: { environment: { variables: [{ name: 'KEY', type: 'SECRET', secret }] } } }, /'KEY' is a secret/],
    [
      'limit',
      { container: { type: 'MESOS', rlimit_info: { rlimits: [{ type: 'RLMT_NOFILE', soft: 50, hard: 40 }] } } },
      /Cannot set the limits of the process: .*NOFILE/i,
    ],
  ])('fails the launch where the task would miss it: %s', async (id, extras, message) => {
    await launchOne(`t-${id}`, extras)
    const status = await scheduler.waitForStatus(`t-${id}`, 'TASK_FAILED')
    expect(status.reason).toBe('REASON_CONTAINER_LAUNCH_FAILED')
    expect(status.message).toMatch(message)
  })

  it('kills a task whose health check fails so often in a row', async () => {
    await launchOne('t-unwell', {
      health_check: {
        type: 'COMMAND',
        command: { value: 'exit 1' },
        delay_seconds: 0,
        interval_seconds: 0.2,
        grace_period_seconds: 0,
        consecutive_failures: 2,
      },
    })
    const killed = await scheduler.waitForStatus('t-unwell', 'TASK_KILLED')
    expect(killed.healthy).toBe(false)
    expect(
      scheduler.statuses('t-unwell').filter(({ state, healthy }) => state === 'TASK_RUNNING' && healthy === false),
    ).toHaveLength(2)
  })
})

describe('failures', () => {
  it('keeps a task over a restart of its agent, and reports what ended meanwhile', async () => {
    const { pid } = await launchOnVolume('restart', 'exec sleep 1000')
    const mark = markProcess(pid)
    await cluster.stopAgent(0)
    await scheduler.waitFor('a rescind', () => (scheduler.offersOf(AGENT).length === 0 ? true : undefined))
    expect(mark !== undefined && isRunning(mark)).toBe(true)
    await cluster.startAgent(0)
    await scheduler.waitForOffer(AGENT)
    expect(scheduler.statuses('task-restart').map((status) => status.state)).not.toContain('TASK_FAILED')
    await cluster.stopAgent(0)
    process.kill(pid, 'SIGKILL')
    await cluster.startAgent(0)
    const failed = await scheduler.waitForStatus('task-restart', 'TASK_FAILED')
    expect(failed.source).toBe('SOURCE_EXECUTOR')
    expect(failed.message).toBe('Command terminated with signal Killed')
  })

  it('ends the tasks of an executor that was killed', async () => {
    const { executorPid, pid } = await launchOnVolume('executor', 'exec sleep 1000')
    const mark = markProcess(pid)
    process.kill(executorPid ?? 0, 'SIGKILL')
    const failed = await scheduler.waitForStatus('task-executor', 'TASK_FAILED')
    expect(failed.reason).toBe('REASON_EXECUTOR_TERMINATED')
    expect(failed.source).toBe('SOURCE_AGENT')
    await scheduler.waitFor('FAILURE', (events) =>
      events.find(
        (event) =>
          event.type === 'FAILURE' && event.failure.executor_id?.value === 'executor-executor' && event.failure.status === 9,
      ),
    )
    expect(mark !== undefined && isRunning(mark)).toBe(false)
  })

  it('loses the tasks of a machine that is down, and offers its volumes again under the same agent id', async () => {
    await launchOnVolume('machine', 'echo kept > data/file; exec sleep 1000')
    const agentId = cluster.agents()[0]?.id
    await cluster.machineDown(0)
    await scheduler.waitForStatus('task-machine', 'TASK_UNREACHABLE')
    await cluster.machineUp(0)
    await scheduler.waitForStatus('task-machine', 'TASK_FAILED')
    const offer = await scheduler.waitForOffer(AGENT, holdsVolume('machine'))
    expect(offer.agent_id.value).toBe(agentId)
  })

  it('keeps a task behind a partition, and says so when it heals', async () => {
    const { pid } = await launchOnVolume('partition', 'exec sleep 1000')
    await cluster.partition(0)
    await scheduler.waitForStatus('task-partition', 'TASK_UNREACHABLE')
    await cluster.heal(0)
    const back = await scheduler.waitFor('the return', () =>
      scheduler.statuses('task-partition').find((status) => status.reason === 'REASON_AGENT_REREGISTERED'),
    )
    expect(back.state).toBe('TASK_RUNNING')
    expect(running('task-partition').pid).toBe(pid)
  })

  it('learns its agents and tasks back after a failover of the master', async () => {
    const { pid } = await launchOnVolume('failover', 'exec sleep 1000')
    const frameworkId = scheduler.frameworkId()
    await cluster.failoverMaster()
    const again = await connectScheduler(cluster.masterUrl, { frameworkId })
    await again.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 'task-failover' } }] } })
    const status = await again.waitFor('an answer', () =>
      again.statuses('task-failover').find((one) => one.reason === 'REASON_RECONCILIATION'),
    )
    expect(status.state).toBe('TASK_RUNNING')
    expect(running('task-failover').pid).toBe(pid)
    scheduler = again
  })

  it('comes back as a new agent without volumes after it was wiped', async () => {
    await launchOnVolume('wiped', 'exec sleep 1000')
    const before = cluster.agents()[0]?.id
    await cluster.wipeAgent(0)
    await scheduler.waitForStatus('task-wiped', 'TASK_LOST')
    const offer = await scheduler.waitForOffer(AGENT)
    expect(offer.agent_id.value).not.toBe(before)
    expect((offer.resources ?? []).some((resource) => resource.reservations !== undefined)).toBe(false)
  })

  it('shows which calls were taken on which stream', async () => {
    await scheduler.call({ type: 'REVIVE' })
    const calls = await cluster.acceptedCalls()
    const last = calls.at(-1)
    expect(last?.call.type).toBe('REVIVE')
    // Those before the failover of the master included.
    expect(calls.map(({ number }) => number)).toEqual(calls.map((_, index) => index + 1))
    const subscribed = calls.filter(({ call }) => call.type === 'SUBSCRIBE')
    expect(new Set(subscribed.map(({ streamId }) => streamId)).size).toBe(subscribed.length)
    expect(last?.streamId).toBe(subscribed.at(-1)?.streamId)
  })
})

it('waits for no agent of a larger cluster that ran in its directory before', async () => {
  const own = mkdtempSync(join(tmpdir(), 'stateward-smaller-'))
  const start = (agents: number) => startLocalCluster({ agents, workDir: own })
  const ids = (each: LocalCluster) => each.agents().map(({ id }) => id)
  const larger = await start(2)
  const [first] = ids(larger)
  await larger.close()
  const smaller = await start(1)
  try {
    expect(ids(smaller)).toEqual([first])
    const body = JSON.stringify({ type: 'GET_AGENTS' })
    const headers = { 'Content-Type': 'application/json' }
    const answer = await fetch(`${smaller.masterUrl}/api/v1`, { method: 'POST', headers, body })
    const { get_agents: shown } = (await answer.json()) as { get_agents: { agents: unknown[]; recovered_agents?: unknown[] } }
    expect(shown.agents).toHaveLength(1)
    expect(shown.recovered_agents).toBeUndefined()
  } finally {
    await smaller.close()
    rmSync(own, { recursive: true, force: true })
  }
})
