/**
 * The hooks named in the spec: gates that ask the cluster itself, and the order of a roll. Gates are asked only after the
 * instance's readiness check has passed, which proves that the new process has registered; without that, a cluster looks
 * healthy for seconds after a kill. They still want three equal answers in a row, because a broker that has come back may drop
 * out of the replicas in sync once more when its old registration ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { GateResult, Hook, HookContext, HookInstance } from 'stateward'
import { type ClusterView, readClusterView, withAdmin } from './cluster-view.js'
import * as health from './health.js'
import { ask, type Endpoint } from './kafka-connection.js'
import { describeQuorum, electPreferredLeaders, type Quorum } from './kafka-protocol.js'
import { probeWrite } from './probe-write.js'

const polls = 3
const pollIntervalMs = 400
const requestTimeoutMs = 3_000
const electionTimeoutMs = 10_000

/** Controllers have ids of their own range: 3000, 3001 ... A broker's id is its index. */
export function nodeIdOf(instance: { readonly pod: string; readonly index: number }): number {
  return instance.pod === 'controller' ? Number(`300${String(instance.index)}`) : instance.index
}

/**
 * Where to ask: instances that are ready, as a client that begins with a dead broker fails; all of them where none is, so that
 * the reason is what they answer.
 */
export function endpointsOf(instances: readonly HookInstance[], pod: 'broker' | 'controller'): Endpoint[] {
  const name = pod === 'broker' ? 'client' : 'quorum'
  const all = instances.flatMap((instance) => {
    const port = instance.ports[name]
    return instance.pod === pod && port !== undefined ? [{ host: instance.address, port, ready: instance.ready }] : []
  })
  const ready = all.filter((endpoint) => endpoint.ready)
  return (ready.length > 0 ? ready : all).map(({ host, port }) => ({ host, port }))
}

/** Gates and the order hook, under the names that the spec uses. */
export const kafkaHooks = {
  quorumHasLeader: gate(async (context) => {
    const quorum = await readQuorum(context)
    return { problems: [], fine: `controller ${String(quorum.leaderId)} leads, epoch ${String(quorum.leaderEpoch)}` }
  }),

  inSync: steadyGate(async (context) => {
    const instance = instanceOf(context)
    const id = nodeIdOf(instance)
    if (instance.pod === 'controller') return { problems: health.voterProblems(await readQuorum(context), id), fine: 'follows' }
    const view = await readView(context)
    return {
      problems: [...health.brokerProblems(view, id), ...health.clusterProblems(view, downBrokers(context))],
      fine: 'in sync',
    }
  }),

  clusterHealthy: steadyGate(async (context) => {
    // What is known not to run cannot be asked, and an update may be what mends it: it must not wait for itself.
    if (allReady(context, 'controller')) await readQuorum(context)
    if (downBrokers(context).length === brokersOf(context).length) return { problems: [], fine: 'no broker is ready to be asked' }
    const view = await readView(context)
    const warnings = health.unprotectedPartitions(view)
    const fine = ['every partition has its leader and its replicas in sync', ...warnings].join('; ')
    return { problems: health.clusterProblems(view, downBrokers(context)), fine }
  }),

  safeToStop: gate(async (context) => {
    const instance = instanceOf(context)
    const fine = `nothing depends on ${instance.name} alone`
    try {
      return { problems: await stopProblems(context, instance), fine }
    } catch (error) {
      if (instance.ready) throw error
      return { problems: [], fine: `${instance.name} is not ready, and the cluster cannot be asked: ${describe(error)}` }
    }
  }),

  leadersRestored: gate(async (context) => {
    const instance = instanceOf(context)
    if (instance.pod === 'controller') return { problems: [], fine: 'a controller leads no partitions' }
    await electLeaders(context)
    return { problems: health.leadershipProblems(await readView(context), nodeIdOf(instance)), fine: 'leads what it should' }
  }),

  probeWrite: gate(async (context) => {
    const brokers = endpointsOf(context.instances, 'broker')
    const { committed, written } = await withAdmin(brokers, (admin) => probeWrite(admin, brokers, context.runId))
    const result = `${String(committed)} of ${String(written)} probe records written and committed`
    return { problems: committed === written ? [] : [result], fine: result }
  }),

  rollingOrder,
} satisfies Record<string, Hook>

async function stopProblems(context: HookContext, instance: HookInstance): Promise<string[]> {
  const id = nodeIdOf(instance)
  if (instance.pod === 'controller') return health.stopVoterProblems(await readQuorum(context), id)
  return health.stopProblems(await readView(context), id)
}

async function rollingOrder(context: HookContext): Promise<readonly string[]> {
  const names = context.candidates ?? []
  const candidates = context.instances
    .filter((instance) => names.includes(instance.name))
    .map((instance) => ({ ...instance, isController: instance.pod === 'controller', nodeId: nodeIdOf(instance) }))
  // A cluster that cannot be asked is no reason not to roll: then the order is by what is known without it.
  const quorum = await readQuorum(context).catch(() => undefined)
  const view = await readView(context).catch(() => undefined)
  const known = health.orderForRoll(candidates, quorum?.leaderId ?? -1, health.countLeaders(view?.partitions ?? []))
  return [...known, ...names.filter((name) => !known.includes(name))]
}

interface Finding {
  readonly problems: readonly string[]
  /** What to say when there are none. */
  readonly fine: string
}

/** A gate from a question; one that fails is closed, with the failure as its reason. */
function gate(question: (context: HookContext) => Promise<Finding>): (context: HookContext) => Promise<GateResult> {
  return async (context) => {
    try {
      const { problems, fine } = await question(context)
      return problems.length === 0 ? { open: true, reason: fine } : { open: false, reason: problems.join('; ') }
    } catch (error) {
      return { open: false, reason: `Kafka could not be asked: ${describe(error)}` }
    }
  }
}

/** As `gate`, but the answer must be yes several times in a row. */
function steadyGate(question: (context: HookContext) => Promise<Finding>): (context: HookContext) => Promise<GateResult> {
  return gate(async (context) => {
    let finding = await question(context)
    for (let poll = 2; poll <= polls && finding.problems.length === 0; poll++) {
      await sleep(pollIntervalMs, undefined, { signal: context.signal })
      finding = await question(context)
    }
    return { ...finding, fine: `${String(polls)} times in a row: ${finding.fine}` }
  })
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ')
  return error instanceof Error ? error.message : String(error)
}

function instanceOf(context: HookContext): HookInstance {
  const instance = context.instances.find((candidate) => candidate.name === context.instance)
  if (instance === undefined)
    throw new Error(`the gate was asked for '${context.instance ?? 'no instance'}', which has no footprint`)
  return instance
}

const brokersOf = (context: HookContext) => context.instances.filter((instance) => instance.pod === 'broker')

/** Brokers that the scheduler knows not to run. */
function downBrokers(context: HookContext): number[] {
  return brokersOf(context)
    .filter((instance) => !instance.ready)
    .map(nodeIdOf)
}

function allReady(context: HookContext, pod: string): boolean {
  return context.instances.every((instance) => instance.pod !== pod || instance.ready)
}

/** The broker asked passes it on to the active controller. One after the other: each election is for the whole cluster. */
async function electLeaders(context: HookContext): Promise<void> {
  let failure: unknown
  for (const broker of endpointsOf(context.instances, 'broker')) {
    try {
      return await ask(broker, electPreferredLeaders(electionTimeoutMs), electionTimeoutMs, context.signal)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function readView(context: HookContext): Promise<ClusterView> {
  return readClusterView(endpointsOf(context.instances, 'broker'), context.signal)
}

/** Asks every controller and takes the active one's answer: the others refuse, and brokers may not exist yet. */
function readQuorum(context: HookContext): Promise<Quorum> {
  const controllers = endpointsOf(context.instances, 'controller')
  return Promise.any(controllers.map((controller) => ask(controller, describeQuorum(), requestTimeoutMs, context.signal)))
}
