/**
 * The znodes of one service. Pure. Layout 1, below the service's own node:
 *
 *     epoch                  { layout, epoch, holder }: counts leaders; watched by its value, never deleted
 *     lock/<id>-<sequence>   ephemeral; holds who leads or waits, lowest sequence leads
 *     commit/<epoch>         { epoch, number, digest } of the last batch of the present leader (ADR 0005)
 *     records/<kind>/<name>  one record each
 */
import { type RecordKey } from '../ports/state-store.js'

/** A service's name as one segment of a path. What a segment cannot hold is percent-encoded, so that no two names meet in one. */
export const serviceSegment = (service: string): string =>
  encodeURIComponent(service).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E'))

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
 * `path` is that of the address; with a service name, the service has a node of its own below it.
 */
export function storePaths(path: string, service: string | undefined): StorePaths {
  const root = service === undefined ? path : `${path}/${serviceSegment(service)}`
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
