/** Lists that the file writes in one text: labels as `k:v,k2:v2`, options of drivers as `k=v;k2=v2`. Pure. */
import type { Findings } from './findings.js'
import type { Path } from './source-document.js'

/** Split at the first colon of each item; a value cannot hold a comma. */
export function readLabels(text: string, path: Path, findings: Findings): Record<string, string> {
  return readPairs(text, path, findings, { between: ',', sign: ':', isExact: false })
}

/** A value can hold neither sign. */
export function readOptions(text: string, path: Path, findings: Findings): Record<string, string> {
  return readPairs(text, path, findings, { between: ';', sign: '=', isExact: true })
}

interface Grammar {
  readonly between: string
  readonly sign: string
  /** The sign once, and no more. */
  readonly isExact: boolean
}

function readPairs(text: string, path: Path, findings: Findings, { between, sign, isExact }: Grammar): Record<string, string> {
  const pairs = new Map<string, string>()
  const items = text.split(between)
  // A sign at the end begins nothing.
  if (items.at(-1)?.trim() === '') items.pop()
  for (const item of items) {
    const at = item.indexOf(sign)
    const key = item.slice(0, at).trim()
    const value = item.slice(at + 1).trim()
    if (at < 0 || key === '' || (isExact && value.includes(sign))) {
      const form = `key${sign}value${between}key2${sign}value2`
      findings.error(path, `${JSON.stringify(item)} is no ${form.slice(0, form.indexOf(between))}; write ${form}`)
    } else if (key === '__proto__') findings.error(path, 'a key must not be called __proto__; choose another name')
    else if (pairs.has(key)) findings.error(path, `${key} is there twice; remove one`)
    else pairs.set(key, value)
  }
  return Object.fromEntries(pairs)
}
