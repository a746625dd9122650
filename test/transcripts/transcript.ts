/** Reading recorded conversations, and the names of agents in them. */
import { readFileSync } from 'node:fs'
import type { AgentDescription } from '../../src/mesos-model/protocol.js'

export interface TranscriptLine {
  readonly t: number
  readonly dir: '>' | '<' | '<event' | 'note'
  readonly who?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly status?: number
  readonly note?: string
}

const FOLDER = new URL('../fixtures/mesos-transcripts/', import.meta.url)

export function readTranscript(name: string): TranscriptLine[] {
  const text = readFileSync(new URL(`${name}.jsonl`, FOLDER), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TranscriptLine)
}

const scalar = (name: string, value: number): AgentDescription['resources'][number] => ({
  name,
  type: 'SCALAR',
  scalar: { value },
})
const text = (name: string, value: string): AgentDescription['attributes'][number] => ({ name, type: 'TEXT', text: { value } })

/** The three agents of the recordings. */
export const RECORDED_AGENTS: readonly AgentDescription[] = [
  { kind: 'ssd', gen: 7, region: 'region-a', zone: 'zone-1' },
  { kind: 'hdd', gen: 8, region: 'region-a', zone: 'zone-2' },
  { kind: 'hdd', gen: 8, region: 'region-b', zone: 'zone-1' },
].map(({ kind, gen, region, zone }, index) => ({
  hostname: `agent${index + 1}.local`,
  ip: '127.0.0.1',
  port: 5051 + index,
  attributes: [text('rack', `r${index + 1}`), text('kind', kind), { name: 'gen', type: 'SCALAR', scalar: { value: gen } }],
  domain: { fault_domain: { region: { name: region }, zone: { name: zone } } },
  resources: [
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000 + index * 1000, end: 31_999 + index * 1000 }] } },
    scalar('cpus', 4),
    scalar('mem', 4096),
    scalar('disk', 10_240),
  ],
}))
