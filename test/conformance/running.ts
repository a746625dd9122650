/** What the statements of part E have in common: launches on the newest offer, and what became of them. */
import { expect } from 'vitest'
import type { Offer } from '../../src/mesos/messages.js'
import type { Bench, Framework } from './bench.js'

export const started = ['TASK_STARTING', 'TASK_RUNNING']

/** Launches on the newest offer of `agent-1`, and waits until it runs. */
export async function run(bench: Bench, framework: Framework, build: (offer: Offer) => object): Promise<void> {
  const offer = framework.offer()
  framework.accept(offer, [build(offer)])
  await bench.advance(1_500)
}

export const kill = (framework: Framework, taskId: string, more: object = {}): void =>
  void framework.call('KILL', { task_id: { value: taskId }, ...more })

export const isRunning = (bench: Bench, taskId: string): boolean => {
  const ofTask = bench.cluster.log.filter(
    (entry) => (entry.type === 'processStarted' || entry.type === 'processEnded') && entry.process.taskId === taskId,
  )
  return ofTask.at(-1)?.type === 'processStarted'
}

const invalid = (taskId: string, reason = 'REASON_TASK_INVALID'): object => ({
  task_id: { value: taskId },
  state: 'TASK_ERROR',
  source: 'SOURCE_MASTER',
  reason,
})

export function expectInvalid(framework: Framework, taskId: string, reason?: string): void {
  expect(framework.statuses(taskId)).toMatchObject([invalid(taskId, reason)])
  expect(framework.statuses(taskId)[0]).not.toHaveProperty('uuid')
}
