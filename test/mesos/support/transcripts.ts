/** Conversations recorded from a real Mesos master: one JSON object per line, in the order in which a client saw them. */
import { readFileSync, readdirSync } from 'node:fs'
import type * as wire from '../../../src/mesos/messages.js'
import { parseEvent } from '../../../src/mesos/messages.js'

export interface TranscriptLine {
  readonly dir: '>' | '<' | '<event' | 'note'
  readonly who: string
  readonly path?: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  // Foreign JSON, looked into by tests.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body?: any
}

const folder = new URL('../../fixtures/mesos-transcripts/', import.meta.url)

const transcriptNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()

export const readTranscript = (name: string): TranscriptLine[] =>
  readFileSync(new URL(name, folder), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TranscriptLine)

/** Payloads of the scheduler streams, parsed; `who` narrows to one client. */
export const eventsOf = (name: string, who?: string): wire.Event[] =>
  readTranscript(name)
    .filter((line) => line.dir === '<event' && line.who !== 'operator-stream' && (who === undefined || line.who === who))
    .map((line) => parseEvent(line.body))

/** The recorded events of one type, over all transcripts. */
export function allEvents<Type extends wire.Event['type']>(type: Type): Extract<wire.Event, { type: Type }>[] {
  return transcriptNames()
    .flatMap((name) => eventsOf(name))
    .filter((event): event is Extract<wire.Event, { type: Type }> => event.type === type)
}
