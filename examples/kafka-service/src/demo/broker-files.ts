/**
 * A broker's volume as files: who it says it is, and its segment files with their identity on the disk. A file that was
 * replicated again has another inode and another birth time, whatever its content.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface SegmentFile {
  /** `topic-partition/base offset.log` */
  readonly path: string
  readonly inode: bigint
  readonly bornNs: bigint
  readonly bytes: bigint
}

export interface BrokerFiles {
  readonly directory: string
  /** `meta.properties`: the directory's id is written once, by the format. */
  readonly directoryId: string
  readonly clusterId: string
  readonly nodeId: string
  /** Segments that are written no more: all but the last of each partition. */
  readonly sealed: readonly SegmentFile[]
  readonly active: readonly SegmentFile[]
}

/** Reads one broker's directory; only partitions of `topic` are looked at. */
export async function readBrokerFiles(directory: string, topic: string): Promise<BrokerFiles> {
  const properties = parseProperties(await readFile(join(directory, 'meta.properties'), 'utf8'))
  const names = (await readdir(directory)).filter((name) => isPartitionOf(name, topic)).sort()
  const partitions = await Promise.all(names.map((name) => readSegments(directory, name)))
  return {
    directory,
    directoryId: properties['directory.id'] ?? '',
    clusterId: properties['cluster.id'] ?? '',
    nodeId: properties['node.id'] ?? '',
    sealed: partitions.flatMap((segments) => segments.slice(0, -1)),
    active: partitions.flatMap((segments) => segments.slice(-1)),
  }
}

async function readSegments(directory: string, partition: string): Promise<SegmentFile[]> {
  // Names are base offsets of equal length, so their order is the order of the offsets.
  const names = (await readdir(join(directory, partition))).filter((name) => name.endsWith('.log')).sort()
  return Promise.all(
    names.map(async (name) => {
      const { ino, birthtimeNs, size } = await stat(join(directory, partition, name), { bigint: true })
      return { path: `${partition}/${name}`, inode: ino, bornNs: birthtimeNs, bytes: size }
    }),
  )
}

function isPartitionOf(name: string, topic: string): boolean {
  return name.startsWith(`${topic}-`) && /^\d+$/.test(name.slice(topic.length + 1))
}

export function parseProperties(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && line.includes('='))
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const
    }),
  )
}
