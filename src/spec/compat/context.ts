/** What the conversion of every part of a file needs to know. */
import type { Findings, Origins } from './findings.js'
import type { Injections } from './task-config.js'

export interface Context {
  readonly findings: Findings
  readonly origins: Origins
  /** Text of the template at a path relative to the file. @throws when there is none */
  readonly readTemplate: (path: string) => string
  /** Name of the service as the file has it, with slashes. */
  readonly service: string
  readonly injections: Injections
}

/** What a task needs to know of its pod. */
export interface PodNames {
  /** As the file has it. */
  readonly written: string
  readonly resourceSets: ReadonlyMap<string, string>
  /** Variables that secrets of the pod set. */
  readonly secretKeys: ReadonlySet<string>
}
