/** Outlines of plans as a tree of text lines, for a terminal: what would be done, in which order, behind which gates. Pure. */
import type { GateSpec } from '../spec/schema.js'
import type { PhaseOutline, PlanOutline, StepOutline } from './compile.js'

/** Neighbours that do the same are shown one by one up to this number; of more only the first and the last. */
const longestRun = 4

export const renderOutline = (outlines: readonly PlanOutline[]): string =>
  outlines.flatMap((outline) => planLines(outline)).join('\n')

function planLines({ name, strategy, gates, order, parameters, phases }: PlanOutline): string[] {
  const names = Object.keys(parameters)
  return [
    [
      `${name}  ${strategy}`,
      names.length === 0 ? [] : `parameters: ${names.join(', ')}`,
      gatesText('pre-flight', gates.preFlight),
      order === undefined ? [] : `order: ${order}`,
      gatesText('before each', gates.beforeEach),
      gatesText('post-flight', gates.postFlight),
    ]
      .flat()
      .join('  '),
    ...phases.flatMap((phase) => phaseLines(phase)),
  ]
}

const gatesText = (when: string, gates: readonly GateSpec[]): string[] =>
  gates.length === 0 ? [] : [`${when}: ${gates.map(({ gate }) => gate).join(', ')}`]

function phaseLines(phase: PhaseOutline): string[] {
  const head = [
    `  ${phase.name}  ${phase.strategy}`,
    phase.name === phase.pod ? [] : `pod: ${phase.pod}`,
    phase.oneWay ? 'one-way' : [],
    gatesText('after each', phase.afterEach),
    phase.steps.length === 0 ? 'no steps' : [],
  ]
  return [head.flat().join('  '), ...runsOf(phase.steps).flatMap((run) => runLines(run))]
}

/** The steps of one instance. */
type Work = readonly StepOutline[]

/** Instances one after the other that do the same. */
function runsOf(steps: readonly StepOutline[]): Work[][] {
  const runs: Work[][] = []
  for (const work of byInstance(steps)) {
    const run = runs.at(-1)
    if (run?.[0] !== undefined && doSame(run[0], work)) run.push(work)
    else runs.push([work])
  }
  return runs
}

function byInstance(steps: readonly StepOutline[]): StepOutline[][] {
  const works: StepOutline[][] = []
  for (const step of steps) {
    const work = works.at(-1)
    if (work?.[0]?.index === step.index) work.push(step)
    else works.push([step])
  }
  return works
}

const doSame = (one: Work, other: Work): boolean =>
  one.length === other.length &&
  one.every(({ tasks, operator }, at) => tasks === other[at]?.tasks && operator === other[at].operator)

function runLines(run: readonly Work[]): string[] {
  const [first] = run
  const last = run.at(-1)
  if (first === undefined || last === undefined) return []
  if (run.length <= longestRun) return run.flat().map((step) => `    ${step.name}${operatorText(step)}`)
  // Whatever an instance does, the line says what each of them does.
  return first.map((step, at) => `    ${step.name} ... ${last[at]?.name}${operatorText(step)}`)
}

const operatorText = ({ operator }: StepOutline): string =>
  operator === undefined ? '' : `  waits for an operator${operator === 'first' ? '' : ', who has seen the first instance'}`
