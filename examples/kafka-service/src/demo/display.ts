/**
 * What the demo says while it runs: numbered steps with their time, and the plan as a tree. On a terminal the tree is drawn
 * in place; elsewhere each change is one line, and the tree is printed once, when the plan has ended.
 */
import { type PlanView, renderPlans, type ServiceStatus } from 'stateward'

const startedAtMs = Date.now()

/** Seconds since the demo began, as it is shown in front of each line. */
function clock(): string {
  return `${((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6)}s`
}

export function say(line: string): void {
  process.stdout.write(`${clock()}  ${line}\n`)
}

export function heading(line: string): void {
  process.stdout.write(`\n${clock()}  == ${line}\n`)
}

/** For terminals that do not say how wide they are. */
const defaultColumns = 120

/** Follows one plan until `end`. */
export class PlanDisplay {
  readonly #shown = new Map<string, string>()
  #drawnLines = 0
  #last = ''

  constructor(
    private readonly plan: string,
    private readonly isTerminal = process.stdout.isTTY,
  ) {}

  show(status: ServiceStatus): void {
    const plans = status.plans.filter((candidate) => candidate.name === this.plan)
    if (plans.length === 0) return
    this.#last = renderPlans({ ...status, plans })
    if (this.isTerminal) this.#draw()
    else plans.forEach((plan) => this.#printChanges(plan))
  }

  /** Leaves the last tree on the screen. */
  end(): void {
    if (!this.isTerminal && this.#last !== '') process.stdout.write(`${this.#last.trimEnd()}\n`)
    this.#drawnLines = 0
  }

  #draw(): void {
    // A line that wraps would be two on the screen, and the next drawing would begin too low.
    const width = (process.stdout.columns || defaultColumns) - 1
    const lines = this.#last
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, width))
    const up = this.#drawnLines > 0 ? `\u001b[${String(this.#drawnLines)}A\u001b[0J` : ''
    process.stdout.write(`${up}${lines.join('\n')}\n`)
    this.#drawnLines = lines.length
  }

  #printChanges(plan: PlanView): void {
    for (const line of planLines(plan)) {
      if (this.#shown.get(line.key) === line.text) continue
      this.#shown.set(line.key, line.text)
      say(`  ${line.text}`)
    }
  }
}

interface PlanOutline {
  readonly name: string
  readonly status: string
  readonly phases: readonly {
    readonly name: string
    readonly steps: readonly { readonly name: string; readonly status: string; readonly agent?: string }[]
  }[]
}

/** One line for the plan and one for each step that has begun; what only grows with time is left out, so that lines change seldom. */
export function planLines(plan: PlanOutline): { readonly key: string; readonly text: string }[] {
  const steps = plan.phases.flatMap((phase) =>
    phase.steps
      .filter((step) => step.status !== 'PENDING')
      .map((step) => ({
        key: `${phase.name}/${step.name}`,
        text: `${plan.name} / ${phase.name} / ${step.name}: ${step.status}${step.agent === undefined ? '' : ` on ${step.agent}`}`,
      })),
  )
  return [{ key: plan.name, text: `${plan.name}: ${plan.status}` }, ...steps]
}
