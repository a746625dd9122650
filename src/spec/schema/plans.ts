/** Plans: phases of steps behind gates, and what they wait for. Pure. */
import { z } from 'zod'
import { durationMs, field, hookName, label } from './fields.js'

const gateObject = z.strictObject({
  gate: field(hookName, 'Name of the hook that answers whether the service is healthy enough to go on.'),
  intervalMs: field(durationMs(100).default(2_000), 'Pause between two attempts.', { unit: 'ms' }),
  timeoutMs: field(durationMs(100).default(30_000), 'Time limit of one attempt.', { unit: 'ms' }),
  deadlineMs: field(
    durationMs(1_000).default(600_000),
    'How long a closed gate is normal; afterwards the plan says that it is held.',
    {
      unit: 'ms',
    },
  ),
})

/** A gate by name alone takes the defaults. */
export const gate = z.union([hookName.transform((name) => gateObject.parse({ gate: name })), gateObject])
const gateList = z.array(gate).default([])

const taskNames = z.array(z.string()).min(1, 'a step without a task could never end; remove it')

const stepList = z.strictObject({
  instance: field(
    z.union([z.int().min(0), z.literal('default')]),
    'Index of the instance, or `default` for all that are not named.',
  ),
  tasks: field(z.array(taskNames), 'Steps in their order; the tasks of one are launched together. Empty: no step.'),
})

export const strategies = ['serial', 'parallel', 'serial-canary', 'parallel-canary'] as const

const phase = z.strictObject({
  name: field(label('a phase', 63).optional(), "Name; the pod's when left out."),
  pod: field(z.string(), 'Pod type whose instances this phase works on.'),
  strategy: field(
    z.enum(strategies).default('serial'),
    'One instance after the other, or all at once; a canary waits for an operator before the first and before all others.',
  ),
  steps: field(
    z.array(stepList).min(1).optional(),
    'Which tasks, in which order; all tasks of an instance together when left out.',
  ),
  oneWay: field(
    z.boolean().optional(),
    'What it does cannot be undone: it is confirmed by an operator, and rules out going back.',
    {
      implied: false,
    },
  ),
  afterEach: field(gateList, 'Gates after each instance of this phase, before those of the plan.'),
})
const phases = z.array(phase)

const gates = {
  preFlight: field(gateList, 'Gates before the first instance.'),
  afterEach: field(gateList, 'Gates after each instance, before the next one starts.'),
  postFlight: field(gateList, 'Gates after the last instance.'),
}
const planStrategy = field(z.enum(['serial', 'parallel']).optional(), 'How the phases follow each other.', { implied: 'serial' })

export const deploy = z.strictObject({
  phases: field(phases.optional(), 'Phases; one serial phase per pod type in the order of the spec when left out.'),
  strategy: planStrategy,
  ...gates,
})

export const update = z.strictObject({
  phases: field(phases.optional(), 'Phases of an update; those of the deployment when left out.'),
  strategy: planStrategy,
  order: field(hookName.optional(), 'Hook that puts the instances still to roll into the order wanted; asked before each.'),
  ...gates,
  beforeEach: field(gateList, 'Gates before each instance is taken down.'),
})

const backoff = z.strictObject({
  initialMs: field(durationMs(0).default(1_000), 'Pause after the first failure.', { unit: 'ms' }),
  factor: field(z.number().min(1).max(10).default(2), 'Growth of the pause with each further failure.'),
  maxMs: field(durationMs(0).default(300_000), 'Longest pause.', { unit: 'ms' }),
  resetAfterMs: field(durationMs(0).default(600_000), 'A task that was ready for this long has its failures forgotten.', {
    unit: 'ms',
  }),
})

const replace = z.strictObject({
  afterMs: field(
    durationMs(0, 2_592_000_000),
    'A failed or unreachable instance that did not come back for this long is replaced elsewhere; its data is given up.',
    { unit: 'ms' },
  ),
  minIntervalMs: field(durationMs(0, 2_592_000_000).optional(), 'Pause between two replacements.', {
    unit: 'ms',
    implied: 600_000,
  }),
})

export const recovery = z.strictObject({
  afterEach: field(gateList, 'Gates after an instance came back.'),
  backoff: field(backoff.prefault({}), 'Pauses between relaunches of what fails.'),
  replace: field(replace.optional(), 'Replacement without being asked; only an operator replaces when left out.'),
})

const parameterBase = { description: field(z.string().max(1_000).optional(), 'What it is for.') }

/** Typed, validated before the run begins, and stored with it. */
export const parameter = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('string'),
    ...parameterBase,
    default: field(z.string().optional(), 'Taken when none is given; without it one must be given.'),
    oneOf: field(z.array(z.string()).min(1).optional(), 'The only values allowed.'),
  }),
  z.strictObject({
    type: z.literal('number'),
    ...parameterBase,
    default: field(z.number().optional(), 'Taken when none is given; without it one must be given.'),
    min: field(z.number().optional(), 'Lowest value allowed.'),
    max: field(z.number().optional(), 'Highest value allowed.'),
  }),
  z.strictObject({
    type: z.literal('boolean'),
    ...parameterBase,
    default: field(z.boolean().optional(), 'Taken when none is given; without it one must be given.'),
  }),
])

/** Started by an operator: backup, repair, and the like. */
export const ownPlan = z.strictObject({
  parameters: field(
    z
      .record(
        z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'a parameter must be named like an environment variable, in capitals'),
        parameter,
      )
      .optional(),
    'What may be given at the start of a run, by the name of the environment variable that tasks get.',
    { implied: {} },
  ),
  strategy: planStrategy,
  phases: field(phases.min(1), 'Phases in their order.'),
})

export type GateSpec = z.output<typeof gateObject>
export type PhaseSpec = z.output<typeof phase>
export type PlanParameter = z.output<typeof parameter>
export type OwnPlanSpec = z.output<typeof ownPlan>
