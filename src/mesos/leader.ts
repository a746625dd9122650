/**
 * Where a leading master may be found: the configured masters, in which order to try them, and where a redirect points.
 * Pure. Source: Mesos v1 scheduler HTTP API, "Master detection"; a standby answers 307 with a `Location` without scheme.
 */
import { SdkError } from '../errors.js'

const schedulerPath = '/api/v1/scheduler'

/** Takes a host name that a master advertises and gives one that resolves here. */
export type HostMapping = (hostname: string) => string

/**
 * URLs of the scheduler endpoint, one per master. `masters` is a list, or one text with commas; a path is kept as a prefix,
 * for masters behind a proxy.
 *
 * @throws SdkError `ERR_INVALID_OPTION`
 */
export function parseMasters(masters: string | readonly string[]): URL[] {
  const texts = (typeof masters === 'string' ? masters.split(',') : masters)
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (texts.length === 0) throw new SdkError('ERR_INVALID_OPTION', 'masters must name at least one master, as http://host:port')
  return texts.map(parseMaster)
}

function parseMaster(text: string): URL {
  if (text.startsWith('zk://')) {
    throw new SdkError(
      'ERR_INVALID_OPTION',
      `masters cannot be found through ZooKeeper in this version (got ${withoutPassword(text)}); ` +
        'name the masters as http://host:port, any of them leads to the leader',
    )
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new SdkError('ERR_INVALID_OPTION', `masters must be addresses like http://host:port (got ${withoutPassword(text)})`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new SdkError('ERR_INVALID_OPTION', `masters must not hold a password (at ${url.host}); give it as credentials`)
  }
  return new URL(url.pathname.replace(/\/+$/, '') + schedulerPath, url.origin)
}

const withoutPassword = (text: string): string => text.replace(/\/\/[^@/]*@/, '//***@')

/**
 * The last leader first, because most interruptions are not a change of the leader; the others in random order, so that many
 * schedulers do not all turn to the same master.
 */
export function orderCandidates(masters: readonly URL[], lastLeader: URL | undefined, random: () => number): URL[] {
  const others = masters.filter((master) => master.origin !== lastLeader?.origin)
  for (let index = others.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1))
    const kept = others[index] as URL
    others[index] = others[other] as URL
    others[other] = kept
  }
  return lastLeader === undefined ? others : [lastLeader, ...others]
}

/**
 * Where a redirect points, undefined if it cannot be followed. `//host:port/path` keeps the scheme of the request; a change
 * from https to http is refused, as the credentials go along.
 */
export function resolveRedirect(location: string, from: URL, mapHost?: HostMapping): URL | undefined {
  if (!URL.canParse(location, from.href)) return undefined
  const target = new URL(location, from)
  const isHttp = target.protocol === 'https:' || (target.protocol === 'http:' && from.protocol === 'http:')
  if (!isHttp) return undefined
  if (mapHost !== undefined) target.hostname = mapHost(target.hostname)
  // `/redirect` and proxies may name the leader alone.
  if (target.pathname === '/') target.pathname = schedulerPath
  return target
}
