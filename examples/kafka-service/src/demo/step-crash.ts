/**
 * The scheduler is killed in the middle of a recovery and started again: the launch in flight is adopted, no other task is
 * touched, the plan goes on.
 */
import type { ServiceStatus } from 'stateward'
import {
  type Demo,
  followRecovery,
  gatherEvidence,
  killBroker,
  planLimitMs,
  processOf,
  startSchedulerAgain,
  topic,
} from './demo.js'
import { say } from './display.js'
import { killProgram } from './programs.js'
import { failedChecks, proveNothingCopied } from './proof.js'
import { instanceOf, isComplete, planOf, readStatus, serverTaskId, taskIds, waitForStatus } from './status.js'

export async function crashScheduler(demo: Demo, name: string): Promise<void> {
  const before = await readStatus(demo.httpPort)
  const evidence = await gatherEvidence(demo, before, name)
  const oldTask = evidence.taskId
  const others = before.instances.map((instance) => instance.name).filter((other) => other !== name)
  const pids = new Map(others.map((other) => [other, processOf(before, other).pid] as const))
  await killBroker(processOf(before, name), name)

  const launched = await waitForStatus(demo.httpPort, (status) => isStarting(status, name, oldTask), {
    what: `the relaunch of ${name}`,
    limitMs: planLimitMs,
    signal: demo.abort,
  })
  const inFlight = serverTaskId(instanceOf(launched, name))
  await killProgram(demo.scheduler)
  say(`the scheduler was killed while ${name} was starting`)
  demo.report.check('recovery when the scheduler was killed', 'IN_PROGRESS', planOf(launched, 'recovery')?.status ?? 'none')
  startSchedulerAgain(demo)

  const after = await followRecovery(demo, name, oldTask)
  demo.report.check('the launch in flight was adopted', inFlight, serverTaskId(instanceOf(after, name)))
  const untouched = others.filter(
    (other) => taskIds(after).get(other) === taskIds(before).get(other) && processOf(after, other).pid === pids.get(other),
  )
  demo.report.check('other tasks and processes unchanged', String(others.length), String(untouched.length))
  const proof = proveNothingCopied(topic, evidence, await gatherEvidence(demo, after, name))
  demo.report.check(`the proof on ${name}`, 'holds', proof.held ? 'holds' : failedChecks(proof))
  demo.report.check('same framework', before.frameworkId ?? 'none', after.frameworkId ?? 'none')
}

/** The middle of a recovery: the agent has begun the new task, and it is not ready yet. */
function isStarting(status: ServiceStatus, name: string, oldTask: string): boolean {
  const instance = instanceOf(status, name)
  const server = instance.tasks.find((task) => task.goal === 'RUNNING')
  const isThere = server?.state === 'starting' || server?.state === 'running'
  return isThere && server.taskId !== oldTask && !instance.ready && !isComplete(status, 'recovery')
}
