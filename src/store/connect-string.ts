/**
 * Where a ZooKeeper store is: `zk://user:password@host1,host2:2181/path`, or the bare `host1:2181,host2:2181/path` of other
 * ZooKeeper programs. Pure. No message ever shows the password.
 */
import { SdkError } from '../errors.js'

const defaultPort = 2181

/** Digest credentials; the nodes that a store makes are then open to this user alone. */
export interface StoreCredentials {
  readonly user: string
  readonly password: string
}

export interface ConnectAddress {
  /** `host:port`, comma-separated, each with its port. */
  readonly servers: string
  /** The node under which everything is kept: empty for the root, otherwise `/a/b`. */
  readonly path: string
  readonly credentials?: StoreCredentials
}

/** The address as shown in messages: without credentials. */
export const showAddress = ({ servers, path }: Pick<ConnectAddress, 'servers' | 'path'>): string => `zk://${servers}${path}`

/** @throws SdkError `ERR_INVALID_OPTION` naming the part that is wrong. */
export function parseConnectString(text: string): ConnectAddress {
  const rest = text.startsWith('zk://') ? text.slice('zk://'.length) : text
  if (/^[a-z]+:\/\//.test(rest)) throw invalid('it must begin with zk:// or with a host', rest.slice(0, rest.indexOf(':')))
  const slash = rest.indexOf('/')
  const authority = slash === -1 ? rest : rest.slice(0, slash)
  const at = authority.lastIndexOf('@')
  // Most likely a / in the password: what stands before it would be taken for a server, and shown.
  if (rest.lastIndexOf('@') > at) throw invalid('a / in user or password must be written as %2F', 'an @ behind a /')
  const address = {
    servers: parseServers(authority.slice(at + 1)),
    path: parsePath(slash === -1 ? '' : rest.slice(slash)),
  }
  return at === -1 ? address : { ...address, credentials: parseCredentials(authority.slice(0, at)) }
}

function parseServers(text: string): string {
  return text
    .split(',')
    .map((server) => {
      const found = /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(server.trim())
      const port = Number(found?.[2] ?? defaultPort)
      if (found?.[1] === undefined || port < 1 || port > 65_535) {
        throw invalid('each server must be a host name or IPv4 address, with an optional port', server)
      }
      return `${found[1]}:${port}`
    })
    .join(',')
}

function parsePath(text: string): string {
  const path = text.replace(/\/+$/, '')
  if (path === '') return ''
  const segments = path.slice(1).split('/')
  const wrong = segments.find((segment) => !/^[^\s\p{Cc}/]+$/u.test(segment) || segment === '.' || segment === '..')
  if (wrong !== undefined || segments[0] === 'zookeeper') {
    throw invalid('the path must be names between slashes, none empty, "." or "..", and not /zookeeper', path)
  }
  return path
}

function parseCredentials(text: string): StoreCredentials {
  const colon = text.indexOf(':')
  if (colon <= 0 || colon === text.length - 1) throw invalid('credentials must be user:password', 'one part only')
  try {
    return { user: decodeURIComponent(text.slice(0, colon)), password: decodeURIComponent(text.slice(colon + 1)) }
  } catch {
    throw invalid('a % in user or password must be written as %25', 'a stray %')
  }
}

const invalid = (rule: string, found: string): SdkError =>
  new SdkError(
    'ERR_INVALID_OPTION',
    `cannot read the ZooKeeper address: ${rule} (got ${JSON.stringify(found)}); write zk://host1:2181,host2:2181/path`,
  )
