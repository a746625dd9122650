/**
 * The znodes of one service. Pure. Layout 1, below the service's own node:
 *
 *     epoch                  { layout, epoch, holder }: counts leaders; watched by its value, never deleted
 *     lock/<id>-<sequence>   ephemeral; holds who leads or waits, lowest sequence leads
 *     commit/<epoch>         { epoch, number, digest } of the last batch of the present leader (ADR 0005)
 *     records/<kind>/<name>  one record each
 */
import { type RecordKey } from '../ports/state-store.js'

/** Read by every version; one that finds a greater number must refuse. */
export const layoutVersion = 1

export interface StorePaths {
  readonly root: string
  readonly epoch: string
  readonly lock: string
  readonly commits: string
  commit(epoch: number): string
  readonly records: string
  kind(kind: string): string
  record(key: RecordKey): string
}

/**
 * `path` is that of the address; with a service name, the service has a node of its own below it. Characters that a node name
 * cannot hold are percent-encoded, so that no two names meet in one node.
 */
export function storePaths(path: string, service: string | undefined): StorePaths {
  const root =
    service === undefined
      ? path
      : `${path}/${encodeURIComponent(service).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E'))}`
  return {
    root,
    epoch: `${root}/epoch`,
    lock: `${root}/lock`,
    commits: `${root}/commit`,
    commit: (epoch) => `${root}/commit/${epoch}`,
    records: `${root}/records`,
    kind: (kind) => `${root}/records/${kind}`,
    record: (key) => `${root}/records/${key}`,
  }
}

/** `/a/b` gives `/a`, `/a/b`. */
export const pathPrefixes = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((_, index, segments) => `/${segments.slice(0, index + 1).join('/')}`)
    .filter((prefix) => prefix !== '/')
