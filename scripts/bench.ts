/**
 * Measures: `npm run bench -- [PART ...] [--list]`. A part is a module `test/bench/<part>.ts` that exports `description`
 * and `run(): Promise<Row[]>`. Prints a table and writes `out/bench.json`; a run of some parts replaces only their rows.
 * Figures inform and never fail the run; a part that throws does.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Row } from '../test/bench/support/rows.js'

interface Part {
  readonly name: string
  readonly description: string
  readonly run: () => Promise<Row[]>
}

/** Contents of `out/bench.json`. */
interface Report {
  readonly parts: Record<
    string,
    { readonly measuredAt: string; readonly node: string; readonly cpu: string; readonly rows: readonly Row[] }
  >
}

const root = join(import.meta.dirname, '..')
const partsFolder = join(root, 'test/bench')
const reportFile = join(root, 'out/bench.json')

async function loadParts(): Promise<Part[]> {
  const names = readdirSync(partsFolder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.slice(0, -'.ts'.length))
  const parts: Part[] = []
  for (const name of names.sort()) {
    const loaded = (await import(pathToFileURL(join(partsFolder, `${name}.ts`)).href)) as Partial<Part>
    if (typeof loaded.run !== 'function') throw new Error(`test/bench/${name}.ts must export a function named run`)
    parts.push({ name, description: loaded.description ?? '', run: loaded.run })
  }
  return parts
}

function readReport(): Report {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  } catch {
    return { parts: {} }
  }
}

const figure = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))

function verdict(row: Row): string {
  if (row.aim === undefined) return ''
  const isMet = row.better === 'lower' ? row.value <= row.aim : row.value >= row.aim
  return isMet ? 'met' : 'SHORT'
}

function printTable(report: Report): void {
  const header = ['part', 'what', 'value', 'unit', 'aim', 'limit here', '']
  const lines = Object.entries(report.parts).flatMap(([part, { rows }]) =>
    rows.map((row) => [
      part,
      row.name,
      figure(row.value),
      row.unit,
      row.aim === undefined ? '' : `${row.better === 'lower' ? '≤' : '≥'} ${figure(row.aim)}`,
      row.limit === undefined ? '' : figure(row.limit),
      verdict(row),
    ]),
  )
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)))
  const isNumber = (column: number): boolean => column === 2 || column === 4 || column === 5
  for (const line of [header, ...lines]) {
    const cells = line.map((cell, column) =>
      isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    )
    console.log(cells.join('  ').trimEnd())
  }
}

async function main(args: readonly string[]): Promise<number> {
  const parts = await loadParts()
  if (args.includes('--list')) {
    for (const part of parts) console.log(`${part.name.padEnd(20)}  ${part.description}`)
    return 0
  }
  const unknown = args.filter((name) => !parts.some((part) => part.name === name))
  if (unknown.length > 0) {
    console.error(`bench: no part named ${unknown.join(', ')}; there are ${parts.map((part) => part.name).join(', ')}`)
    return 2
  }
  const before = readReport()
  const measured: Report['parts'] = {}
  let failed = 0
  for (const part of parts.filter(({ name }) => args.length === 0 || args.includes(name))) {
    console.log(`bench ${part.name}: ${part.description}`)
    try {
      const rows = await part.run()
      const cpu = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`
      measured[part.name] = { measuredAt: new Date().toISOString(), node: process.version, cpu, rows }
    } catch (error) {
      failed += 1
      console.error(`bench ${part.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  mkdirSync(join(root, 'out'), { recursive: true })
  const known = new Set(parts.map((part) => part.name))
  const kept = Object.entries({ ...before.parts, ...measured }).filter(([name]) => known.has(name))
  writeFileSync(reportFile, `${JSON.stringify({ parts: Object.fromEntries(kept) }, null, 2)}\n`)
  console.log('')
  printTable({ parts: measured })
  return failed === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
