/** A problem of the spec in the words of the file: its path, and the names of fields in the message. Pure. */
import type { Origins } from './findings.js'
import type { Path } from './source-document.js'
import type { SpecIssue } from '../issues.js'

/** What the author of a file calls the fields that messages name. */
const fieldNames: Readonly<Record<string, string>> = {
  envKey: 'env-key',
  ipcMode: 'ipc-mode',
  memoryMb: 'memory',
  resourceSet: 'resource-set',
  resourceSets: 'resource-sets',
  shmMb: 'shm-size',
  sizeMb: 'size',
}

const fieldPattern = new RegExp(`\\b(${Object.keys(fieldNames).join('|')})\\b`, 'g')

/** Fields whose numbers have another unit in the spec. */
const isInMs = (path: string): boolean => /Ms$/.test(path)

export function translateIssue(
  { path, message }: SpecIssue,
  origins: Origins,
): { readonly from: Path; readonly message: string } {
  const { from } = origins.find(path)
  const unit = isInMs(path) ? ', counted in milliseconds' : ''
  const translated = message
    // Values that were found may hold anything, so only what reads like a path of this spec is one.
    .replace(/\bspec\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)/g, (_, other: string) =>
      origins.find(other).from.map(String).join('.'),
    )
    .replace(fieldPattern, (name) => fieldNames[name] ?? name)
    .replace('placement maxPerHost(1)', 'placement: "hostname:UNIQUE"')
    .replace(/add \{ pod: '([^']*)' \}/, 'add a phase with pod: $1')
    .replace('one with instance: default (tasks: [] for no step)', 'one for default ([] for no step)')
  return { from, message: `${translated}${unit}` }
}
