import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseYamlSpec } from '../../../src/spec/yaml/load.js'

const guide = readFileSync(new URL('../../../docs/guides/service-files.md', import.meta.url), 'utf8')

test('the service of the guide is sound, and has its parameters in it', () => {
  const [text = ''] = /```yaml\n([\s\S]*?)```/.exec(guide)?.slice(1) ?? []
  const result = parseYamlSpec(text, { parameters: { greeting: 'hello', nodes: '5' } })
  if (!result.ok) expect.fail(JSON.stringify(result.issues))
  const { count, tasks } = result.spec.pods['node'] ?? expect.fail('no node')
  expect(count).toBe(5)
  expect(tasks['server']?.command).toContain(`port \${PORT:-none}"`)
  expect(tasks['server']?.env).toEqual({ GREETING: 'hello', TITLE: 'notes of 5 nodes', PEERS: '{{peers.node.client}}' })
})
