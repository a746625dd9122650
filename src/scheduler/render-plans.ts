/** The plans of a service as a tree of text lines, for a terminal. Pure. */
import { refusalText } from '../spec/check-update.js'
import type { PlanView, ServiceStatus, StepView } from './report.js'

const marks: Record<string, string> = {
  COMPLETE: '✓',
  PENDING: '·',
  PREPARED: '…',
  STARTING: '▸',
  STARTED: '▸',
  IN_PROGRESS: '▸',
  DELAYED: '⏱',
  WAITING: '‖',
}

export interface RenderOptions {
  /** Leave the elapsed times out, so that equal states give equal text. @defaultValue false */
  readonly withoutTimes?: boolean
}

/** One line per plan, phase and step, with state, agent, elapsed time and the reason for a wait. */
export function renderPlans(status: ServiceStatus, options: RenderOptions = {}): string {
  const lines = [
    `${status.service}  target ${status.targetId}  ${status.connected ? 'connected' : 'NOT CONNECTED to the master'}`,
  ]
  if (status.rejected !== undefined) {
    lines.push(`! spec ${status.rejected.targetId} was refused; the target above stays in force:`)
    lines.push(...status.rejected.reasons.map((refusal) => `    ${refusalText(refusal)} (${refusal.code})`))
  }
  for (const plan of status.plans) lines.push(...planLines(plan, options))
  for (const task of status.unknownTasks)
    lines.push(`? unknown task ${task.taskId} is ${task.state} on ${task.agentId ?? 'an unknown agent'}; left alone`)
  return lines.join('\n')
}

function planLines(plan: PlanView, options: RenderOptions): string[] {
  const head = line('', plan.status, plan.name, [
    plan.paused ? 'paused' : undefined,
    options.withoutTimes === true ? undefined : elapsed(plan.elapsedMs),
    plan.reason,
  ])
  return [
    head,
    ...plan.phases.flatMap((phase) => [
      line('  ', phase.status, phase.name, [phase.strategy]),
      ...phase.steps.map((step) => stepLine(step, options)),
    ]),
  ]
}

function stepLine(step: StepView, options: RenderOptions): string {
  const time = options.withoutTimes === true ? undefined : elapsed(step.elapsedMs)
  return line('    ', step.status, step.name, [step.agent, time, step.reason])
}

function line(indent: string, status: string, name: string, rest: readonly (string | undefined)[]): string {
  const parts = rest.filter((part) => part !== undefined && part !== '')
  return `${indent}${marks[status] ?? ' '} ${name} ${status}${parts.length === 0 ? '' : `  ${parts.join('  ')}`}`
}

function elapsed(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}
