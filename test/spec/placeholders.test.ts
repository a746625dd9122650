import { describe, expect, test } from 'vitest'
import { findPlaceholders, replacePlaceholders, simplePlaceholders } from '../../src/spec/placeholders.js'

const only = (text: string) => findPlaceholders(text)[0]?.placeholder

describe('placeholders', () => {
  test.for(simplePlaceholders)('{{%s}} is known', (name) => {
    expect(only(`{{${name}}}`)).toEqual({ kind: 'simple', name })
    expect(only(`{{ ${name} }}`)).toEqual({ kind: 'simple', name })
  })

  test.for([
    ['{{values.clusterId}}', { kind: 'value', name: 'clusterId' }],
    ['{{ports.client}}', { kind: 'port', port: 'client' }],
    ['{{peers.db.client}}', { kind: 'peers', pod: 'db', port: 'client', format: '{address}:{port}' }],
    ['{{joined.db.client}}', { kind: 'joined', pod: 'db', port: 'client', format: '{address}:{port}' }],
    [
      '{{peers.c.quorum as 300{index}@{address}:{port}}}',
      { kind: 'peers', pod: 'c', port: 'quorum', format: '300{index}@{address}:{port}' },
    ],
    ['{{peers.c.quorum as {name} }}', { kind: 'peers', pod: 'c', port: 'quorum', format: '{name}' }],
  ] as const)('%s', ([text, placeholder]) => {
    expect(findPlaceholders(text)).toEqual([{ text, placeholder }])
  })

  test.for(['{{nothing}}', '{{pod.color}}', '{{values}}', '{{values.a.b}}', '{{peers.db}}', '{{pod.index as {index}}}'])(
    '%s means nothing, and is told so',
    (text) => {
      expect(findPlaceholders(text)).toEqual([{ text, placeholder: undefined }])
      expect(replacePlaceholders(text, () => 'never')).toBe(text)
    },
  )

  test.for(['plain', '{single}', '{{', '}}', '{{ a b }}', '{{#section}}'])('%s holds none', (text) => {
    expect(findPlaceholders(text)).toEqual([])
  })

  test('several in one text are replaced where they stand', () => {
    const text = 'id={{pod.index}};at={{agent.address}}:{{ports.client}};again={{pod.index}}'
    const replaced = replacePlaceholders(text, (placeholder) => `<${placeholder.kind}>`)
    expect(replaced).toBe('id=<simple>;at=<simple>:<port>;again=<simple>')
  })

  test('what is put in is not searched again', () => {
    expect(replacePlaceholders('{{pod.name}}', () => '{{pod.index}} $& $1')).toBe('{{pod.index}} $& $1')
  })
})
