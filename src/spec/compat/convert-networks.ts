/** Virtual networks of a pod, and which ports of the agent they map. Pure. */
import type { Context } from './context.js'
import { build, inside, type Fields, type Place } from './findings.js'
import type { RawNetwork, RawPod } from './raw-schema.js'
import { readLabels } from './texts.js'

/** The one network of DC/OS that maps ports; on others the ancestor refused mappings. */
const bridge = 'mesos-bridge'

export function convertNetworks(raw: RawPod, place: Place, context: Context): Fields | undefined {
  if (raw.networks === undefined) return undefined
  const result: Fields = {}
  for (const [name, network] of raw.networks) {
    const at = inside(place, name, name)
    const labelsPath = [...at.from, 'labels']
    const labels = network.labels === undefined ? undefined : readLabels(network.labels, labelsPath, context.findings)
    const mappings = convertMappings(raw, network, name, at, context)
    result[name] = build(context.origins, at, {
      portMappings: ['host-ports', mappings.length === 0 ? undefined : mappings],
      labels: ['labels', labels],
    })
  }
  return result
}

function convertMappings(raw: RawPod, network: RawNetwork, name: string, place: Place, { findings, origins }: Context): Fields[] {
  const hostPorts = network['host-ports'] ?? []
  const containerPorts = network['container-ports'] ?? []
  if (hostPorts.length !== containerPorts.length) {
    findings.error(
      [...place.from, 'host-ports'],
      `host-ports and container-ports are pairs, and there are ${hostPorts.length} and ${containerPorts.length}`,
      'key',
    )
    return []
  }
  if (name !== bridge && hostPorts.length > 0) {
    findings.error(
      [...place.from, 'host-ports'],
      `only the network ${bridge} maps ports; remove the ports, or join that one`,
      'key',
    )
    return []
  }
  const mappings = hostPorts.map((hostPort, index) => {
    const to = [...place.to, 'portMappings', index]
    origins.set([...to, 'containerPort'], [...place.from, 'container-ports', index])
    return build(
      origins,
      { to, from: place.from },
      {
        hostPort: [['host-ports', String(index)], hostPort],
        containerPort: [['container-ports', String(index)], containerPorts[index]],
      },
    )
  })
  return name === bridge ? [...mappings, ...mapRest(raw, new Set(hostPorts), place, findings)] : mappings
}

/** Ports that no mapping names are mapped to themselves. */
function mapRest(raw: RawPod, mapped: ReadonlySet<number | undefined>, place: Place, findings: Context['findings']): Fields[] {
  const rest = new Set<number>()
  for (const [key, owners] of [
    ['tasks', raw.tasks],
    ['resource-sets', raw['resource-sets']],
  ] as const) {
    for (const [owner, { ports }] of owners ?? []) {
      for (const [name, { port }] of ports ?? []) {
        if (port === 0)
          findings.ignored(
            [...place.from.slice(0, -2), key, owner, 'ports', name, 'port'],
            `a dynamic port (0) cannot be mapped by the network ${bridge}`,
            'take a fixed port, or leave the network',
            'value',
            { theirs: 'mapped 0 to 0', ours: 'not mapped' },
          )
        else if (port !== undefined && !mapped.has(port)) rest.add(port)
      }
    }
  }
  return [...rest].map((port) => ({ hostPort: port, containerPort: port }))
}
