/** Launches that a master refuses, with its words (Mesos 1.12, `master/validation.cpp`, `common/validation.cpp`). */
import { describe, expect, test } from 'vitest'
import type { ContainerInfo, ExecutorInfo, Resource, TaskInfo, Volume } from '../../src/mesos/messages.js'
import { toResources } from '../../src/mesos-model/resources.js'
import { findGroupProblem, findLaunchProblem, type TaskContext } from '../../src/mesos-model/validate-task.js'

const scalar = (name: string, value: number): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: 'db' },
})
const plenty = toResources([scalar('cpus', 8), scalar('mem', 1_024), scalar('disk', 1_024)], 'db')

const task = (changes: Partial<TaskInfo> = {}): TaskInfo => ({
  name: 't',
  task_id: { value: 't' },
  agent_id: { value: 'S0' },
  command: { value: 'sleep 1' },
  resources: [scalar('cpus', 1), scalar('mem', 64)],
  ...changes,
})

const executor = (container?: ContainerInfo): ExecutorInfo => ({
  type: 'DEFAULT',
  executor_id: { value: 'x' },
  framework_id: { value: 'F' },
  resources: [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 8)],
  ...(container === undefined ? {} : { container }),
})

const context: TaskContext = {
  frameworkId: 'F',
  agentId: 'S0',
  role: 'db',
  isIdTaken: () => false,
  runningExecutor: () => undefined,
  tasksOfExecutor: () => [],
}

const problemOf = (one: TaskInfo, of = executor(), within = context) => findGroupProblem([one], of, within, plenty)
const withVolume = (volume: Omit<Volume, 'mode' | 'container_path'>) =>
  task({ container: { type: 'MESOS', volumes: [{ mode: 'RW', container_path: 'x', ...volume }] } })
const withSecret = (secret: object) =>
  task({ command: { value: 'x', environment: { variables: [{ name: 'A', type: 'SECRET', secret }] } } })
const apart: ContainerInfo = { type: 'MESOS', linux_info: { share_cgroups: false } }
const limited = (limits: NonNullable<TaskInfo['limits']>) => task({ limits, container: apart })

describe('a task of a group', () => {
  test.each<[string, TaskInfo, string | undefined]>([
    ['like any other', task(), undefined],
    ['with a volume of two kinds', withVolume({ host_path: '/x', image: {} }), "Only one of them should be set: 'host_path'"],
    ['with a volume of the agent', withVolume({ host_path: '/x' }), undefined],
    [
      'with a source that is not there',
      withVolume({ source: { type: 'DOCKER_VOLUME' } }),
      "'source.docker_volume' is not set for DOCKER_VOLUME volume",
    ],
    ['with a source of no known type', withVolume({ source: {} as never }), "'source.type' is unknown"],
    [
      'with a secret file that names none',
      withVolume({ source: { type: 'SECRET', secret: { type: 'REFERENCE' } } }),
      "Secret of type REFERENCE must have the 'reference' field set",
    ],
    ['with a secret', withSecret({ type: 'REFERENCE', reference: { name: 's' } }), undefined],
    [
      'with a secret that names none',
      withSecret({ type: 'REFERENCE' }),
      "Environment variable 'A' specifies an invalid secret: Secret of type REFERENCE must have the 'reference' field set",
    ],
    ['with limits', limited({ cpus: { value: 'Infinity' }, mem: { value: 64 } }), undefined],
    [
      'with limits in the cgroups of its executor',
      task({ limits: { cpus: { value: 2 } } }),
      "Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to 'false'.",
    ],
    [
      'with a limit below its share',
      limited({ cpus: { value: 0.5 } }),
      'The cpu limit must be greater than or equal to the cpu request',
    ],
    [
      'with less memory than its share',
      limited({ mem: { value: 32 } }),
      'The memory limit must be greater than or equal to the memory request',
    ],
    ['with a limit of disk', limited({ disk: { value: 5 } }), "Only cpus and mem may be included in a task's resource limits"],
    [
      'with a limit of what it does not ask for',
      { ...limited({ mem: { value: 32 } }), resources: [scalar('cpus', 1)] },
      'When a memory limit is specified, a memory request must also be specified',
    ],
  ])('%s', (_what, one, expected) => {
    const problem = problemOf(one)
    if (expected === undefined) expect(problem).toBeUndefined()
    else expect(problem).toContain(expected)
  })

  test('on its own may not leave the cgroups of its executor', () => {
    expect(findLaunchProblem(task({ container: apart }), context, plenty)).toBe(
      "Only tasks in a task group may have 'share_cgroups' set to 'false'",
    )
  })
})

describe('the executor of a group', () => {
  test('has no image', () => {
    const container: ContainerInfo = { type: 'MESOS', mesos: { image: { type: 'DOCKER', docker: { name: 'redis' } } } }
    expect(problemOf(task(), executor(container))).toBe(
      "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor",
    )
  })

  test('may say that its tasks share no cgroups, and not that they do', () => {
    expect(problemOf(task({ container: apart }), executor(apart))).toBeUndefined()
    expect(problemOf(task(), executor({ type: 'MESOS', linux_info: { share_cgroups: true } }))).toContain(
      'on executor containers',
    )
  })

  test('takes only tasks that share cgroups as those do that it has', () => {
    const within: TaskContext = { ...context, runningExecutor: () => executor(), tasksOfExecutor: () => [task()] }
    expect(problemOf(limited({ cpus: { value: 2 } }), executor(), within)).toBe(
      "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single executor",
    )
    expect(problemOf(task(), executor(), within)).toBeUndefined()
  })
})
