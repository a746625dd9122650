/**
 * The table at the end: each check with what was expected, what was found and when. The demo succeeds only if all of them held.
 */
export interface ReportRow {
  readonly step: string
  readonly check: string
  readonly expected: string
  readonly found: string
  readonly held: boolean
  readonly tookMs: number
}

export class Report {
  readonly rows: ReportRow[] = []
  #step = ''
  #stepStartedAtMs = Date.now()

  constructor(private readonly say: (line: string) => void) {}

  get held(): boolean {
    return this.rows.length > 0 && this.rows.every((row) => row.held)
  }

  /** Checks from now on belong to this step, and their time counts from now. */
  beginStep(name: string): void {
    this.#step = name
    this.#stepStartedAtMs = Date.now()
  }

  check(check: string, expected: string, found: string, held = expected === found): void {
    this.rows.push({ step: this.#step, check, expected, found, held, tookMs: Date.now() - this.#stepStartedAtMs })
    this.say(`${held ? 'ok  ' : 'FAIL'} ${check}: ${held ? found : `expected ${expected}, found ${found}`}`)
  }
}

const widestCell = 32

/** Ids are told apart by their beginning and their end. */
function shorten(text: string): string {
  if (text.length <= widestCell) return text
  const end = 8
  return `${text.slice(0, widestCell - end - 1)}…${text.slice(-end)}`
}

/** Columns as wide as their widest cell; the time is the step's, up to the check. */
export function renderReport(rows: readonly ReportRow[]): string {
  const cells = rows.map((row) => [
    row.step,
    row.check,
    shorten(row.expected),
    shorten(row.found),
    `${(row.tookMs / 1000).toFixed(1)} s`,
    row.held ? 'ok' : 'FAIL',
  ])
  const table = [['step', 'check', 'expected', 'found', 'time', ''], ...cells]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
  const lines = table.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [lines[0] ?? '', rule, ...lines.slice(1)].join('\n')
}
