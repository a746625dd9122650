/**
 * Placement in the forms of Marathon: a JSON list (one rule), a list of such lists, or `field:operator[:parameter],...` where a
 * backslash takes the meaning from a colon or comma. All rules must hold. Pure.
 */
import type { Findings } from './findings.js'
import type { Path } from './source-document.js'
import type { PlacementRule } from '../schema.js'

const forms = 'a rule is ["field", "OPERATOR", "parameter"] in JSON, or field:OPERATOR:parameter'

export function convertPlacement(text: string, path: Path, findings: Findings): PlacementRule[] {
  const rows = readRows(text.trim())
  if (typeof rows === 'string') {
    findings.error(path, rows)
    return []
  }
  return rows.flatMap((row) => {
    const rule = toRule(row)
    if (typeof rule !== 'string') return [rule]
    findings.error(path, `${shown(row)}: ${rule}`)
    return []
  })
}

type Row = readonly string[]

const shown = (row: Row): string => {
  const text = row.join(':')
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** Text: what is wrong with it. */
function readRows(text: string): Row[] | string {
  if (text === '') return []
  if (!text.startsWith('[')) return splitRows(text)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    const advice = /&(quot|#39|amp|lt|gt);/.test(text) ? 'it holds HTML entities, so take {{{X}}} for {{X}}' : forms
    return `begins like a JSON list and is none; ${advice}`
  }
  const items = parsed as readonly unknown[]
  if (items.length === 0) return []
  const rows = items.every((item) => Array.isArray(item)) ? (items as unknown[][]) : [[...items]]
  if (rows.flat().some((item) => typeof item !== 'string' && typeof item !== 'number'))
    return `is neither a list of texts nor a list of such lists; ${forms}`
  return rows.map((row) => row.map(String))
}

/** Rules between commas, their parts between colons. */
function splitRows(text: string): Row[] | string {
  const rows: string[][] = [['']]
  let row: string[] = rows[0] ?? []
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at)
    if (sign === '\\') {
      at += 1
      if (at === text.length) return 'ends in a backslash, which takes the meaning from nothing; remove it'
      row[row.length - 1] += text.charAt(at)
    } else if (sign === ':') row.push('')
    else if (sign === ',') rows.push((row = ['']))
    else row[row.length - 1] += sign
  }
  return rows.map((parts) => parts.map((part) => part.trim()))
}

/** Text: what is wrong with it. */
function toRule(row: Row): PlacementRule | string {
  const [field = '', operator = '', parameter] = row
  if (row.length < 2 || row.length > 3 || field === '') return forms
  const key = field === '@hostname' ? 'hostname' : field
  switch (operator.toUpperCase()) {
    case 'UNIQUE':
      return atMost(key, 1)
    case 'MAX_PER': {
      const max = toCount(parameter)
      return max === undefined ? 'MAX_PER needs a whole number from 1 as its parameter' : atMost(key, max)
    }
    case 'CLUSTER':
    case 'IS':
      return parameter === undefined ? `${operator} needs the value as its parameter` : { type: 'is', key, value: parameter }
    case 'IS_NOT':
      return parameter === undefined ? `${operator} needs the value as its parameter` : { type: 'isNot', key, value: parameter }
    case 'LIKE':
      return parameter === undefined ? 'LIKE needs a pattern as its parameter' : { type: 'like', key, pattern: parameter }
    case 'UNLIKE':
      return parameter === undefined ? 'UNLIKE needs a pattern as its parameter' : { type: 'unlike', key, pattern: parameter }
    case 'GROUP_BY': {
      if (parameter === undefined || parameter === '') return { type: 'groupBy', key }
      const values = toCount(parameter)
      return values === undefined ? 'the parameter of GROUP_BY is a whole number from 1' : { type: 'groupBy', key, values }
    }
    default:
      return `${JSON.stringify(operator)} is no operator; known are UNIQUE, MAX_PER, CLUSTER, IS, IS_NOT, LIKE, UNLIKE, GROUP_BY`
  }
}

/** One form for one meaning. */
const atMost = (key: string, max: number): PlacementRule =>
  key === 'hostname' ? { type: 'maxPerHost', max } : max === 1 ? { type: 'unique', key } : { type: 'maxPer', key, max }

function toCount(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text) : undefined
}
