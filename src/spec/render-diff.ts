/** A difference of two specs as lines of text, for a terminal and for a review. Pure. */
import { refusalText, type Refusal } from './check-update.js'
import type { PodDiff, PodFieldChange, PodOutcome, ServiceDiff, TaskDiff } from './diff.js'
import type { FieldChange } from './field-changes.js'
import type { HoldingChange } from './holdings.js'

/** Longer values are cut; the whole is in the specs. */
const longestValue = 72

export function renderDiff(diff: ServiceDiff): string {
  if (diff.before === diff.after) return `${diff.before}: the two specs are the same`
  return [
    `${diff.before} -> ${diff.after}`,
    ...diff.pods.flatMap(podLines),
    ...section('plans, gates, recovery: nobody restarts', diff.plans.map(fieldText)),
    ...section('service: nobody restarts', diff.service.map(fieldText)),
    ...section('REFUSED, the present spec would stay in force', diff.refusals.map(refusalLine)),
    ...section('NOT YET DONE BY THIS VERSION, the present spec would stay in force', diff.notYet.map(refusalLine)),
  ].join('\n')
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]

const refusalLine = (refusal: Refusal): string => `${refusal.code}  ${refusalText(refusal)}`

const outcomeTexts: Readonly<Record<PodOutcome, string>> = {
  unchanged: 'nobody restarts',
  restart: 'restart in place',
  runAgain: 'run again',
  grow: 'grow',
  shrink: 'shrink',
  added: 'added',
  removed: 'removed, its data is given up',
  refused: 'REFUSED',
}

function podLines({ pod, outcomes, count, fields, tasks, footprint }: PodDiff): string[] {
  if (outcomes[0] === 'unchanged' && fields.length === 0) return ['', `${pod}: unchanged`]
  const [before, after] = count
  const counts = before === after ? instances(after) : before === 0 ? instances(after) : `${before} -> ${instances(after)}`
  return [
    '',
    `${pod}: ${outcomes.map((outcome) => outcomeTexts[outcome]).join(', ')}  (${counts})`,
    ...(outcomes[0] === 'shrink' ? [`  given up with their data: ${range(pod, after, before - 1)}`] : []),
    ...(after > before && outcomes.includes('grow') ? [`  new: ${range(pod, before, after - 1)}`] : []),
    ...tasks.map((task) => `  ${taskText(task)}`),
    ...fields.map((field) => `  ${podFieldText(pod, field)}`),
    ...footprint.map((change) => `  ${holdingText(change)}`),
  ]
}

const instances = (count: number): string => (count === 1 ? '1 instance' : `${count} instances`)

const range = (pod: string, first: number, last: number): string =>
  first === last ? `${pod}-${first}` : `${pod}-${first}${first + 1 === last ? ',' : ' ...'} ${pod}-${last}`

const taskTexts: Readonly<Record<TaskDiff['outcome'], string>> = {
  restart: 'restarts in place',
  runAgain: 'runs again',
  nothing: 'has run, and is not run again',
  added: 'is added',
  removed: 'is taken out',
}

const taskText = ({ task, goal, outcome }: TaskDiff): string => `task ${task} (${goal}) ${taskTexts[outcome]}`

function podFieldText(pod: string, { restarts, ...field }: PodFieldChange): string {
  const because = restarts.length === 0 ? '' : `  affects ${restarts.join(', ')}`
  return `${fieldText({ ...field, path: field.path.slice(`pods.${pod}.`.length) })}${because}`
}

const fieldText = ({ path, before, after }: FieldChange): string => `${path}: ${valueText(before)} -> ${valueText(after)}`

function valueText(value: unknown): string {
  if (value === undefined) return 'none'
  const text = JSON.stringify(value)
  return text.length > longestValue ? `${text.slice(0, longestValue - 3)}...` : text
}

const effectTexts: Readonly<Record<HoldingChange['effect'], string>> = {
  reserve: 'reserve more',
  giveBack: 'give back',
  impossible: 'impossible without the loss of data',
}

const holdingText = ({ path, before = 'none', after = 'none', effect }: HoldingChange): string =>
  `footprint: ${path} ${before} -> ${after}: ${effectTexts[effect]}`
