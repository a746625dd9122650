/** Small JSON files that survive a crash: written beside, then renamed; and logs of one JSON value a line. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(value))
  renameSync(`${path}.new`, path)
}

export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function appendLine(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  appendFileSync(path, `${JSON.stringify(value)}\n`)
}

/** The values of a file of lines; a line that was cut off, as by a process that was killed, is left out. */
export function readLines<T>(path: string): T[] {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as T]
    } catch {
      return []
    }
  })
}

/** Where a master, of whose directory this is, keeps what it knows over a failover. */
export const registryFile = (directory: string): string => join(directory, 'registry.json')

/** Where a master, of whose directory this is, keeps the calls that it took. */
export const acceptedCallsFile = (directory: string): string => join(directory, 'accepted-calls.jsonl')
