/** The page on the task machine is made from the machine: `npx vitest run test/state-machine -u` writes it anew. */
import { expect, test } from 'vitest'
import { mesosTaskStates } from '../../src/state-machine/task-events.js'
import { taskMachine } from '../../src/state-machine/task-machine.js'
import { taskStates, type TaskState } from '../../src/state-machine/task-record.js'

const events = ['launchDecided', 'killDecided', ...mesosTaskStates]

interface Way {
  readonly guard?: string
  /** The state itself when the event only notes something. */
  readonly target: string
}

/** What the machine does with an event, in the order in which the guards are asked; nothing when it has no use for it. */
const waysOf = (state: TaskState, event: string): Way[] =>
  (taskMachine.states[state]?.transitions.get(event) ?? []).map(({ guard, target }) => ({
    ...(typeof guard === 'string' ? { guard } : {}),
    target: target?.[0]?.key ?? state,
  }))

const ignoredBy = (state: TaskState): readonly string[] =>
  (taskMachine.states[state]?.meta as { readonly ignores: readonly string[] }).ignores

test('each state handles an event, or says that it ignores it', () => {
  for (const state of taskStates) {
    const handled = events.filter((event) => waysOf(state, event).length > 0)
    expect([...handled, ...ignoredBy(state)].sort(), state).toEqual([...events].sort())
  }
})

const say = ({ guard, target }: Way, state: TaskState): string =>
  `${target === state ? 'noted' : `**${target}**`}${guard === undefined ? '' : ` if ${guard}`}`

function table(): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    row(['event', ...taskStates]),
    row(['---', ...taskStates.map(() => '---')]),
    ...events.map((event) =>
      row([
        `\`${event}\``,
        ...taskStates.map((state) => {
          const ways = waysOf(state, event)
          return ways.length === 0 ? 'ignored' : ways.map((way) => say(way, state)).join(', else ')
        }),
      ]),
    ),
  ]
}

function diagram(): string[] {
  const arrows = new Map<string, string[]>()
  for (const state of taskStates)
    for (const event of events)
      for (const { target, guard } of waysOf(state, event)) {
        if (target === state) continue
        const arrow = `${state} --> ${target}`
        arrows.set(arrow, [...(arrows.get(arrow) ?? []), guard === undefined ? event : `${event} [${guard}]`])
      }
  return [
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> idle',
    ...[...arrows].map(([arrow, names]) => `  ${arrow}: ${names.join(', ')}`),
    '```',
  ]
}

test('the page shows the machine as it is', async () => {
  const page = [
    '# The life of a task',
    '',
    'Made from `src/state-machine/task-machine.ts`; a test keeps it so. Events in capitals are task states as Mesos reports them,',
    'without `TASK_`. Only `idle` and `ended` are sure to have no process: a task is launched from them alone.',
    '',
    ...diagram(),
    '',
    'Guards: `neverSeen`: no executor has reported STARTING, RUNNING or KILLING of this launch, so that ERROR and DROPPED speak of',
    'it and not of another one; `isBeingKilled`: a kill was decided, and stays decided until the end.',
    '',
    ...table(),
    '',
  ].join('\n')
  await expect(page).toMatchFileSnapshot('../../docs/reference/task-machine.md')
})
