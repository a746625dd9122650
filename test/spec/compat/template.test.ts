import Mustache from 'mustache'
import { describe, expect, test } from 'vitest'
import { ancestorPrint, parseTemplate, plainPrint, type Rendered } from '../../../src/spec/compat/template.js'
import { escapeHtml } from '../../../src/spec/compat/variables.js'

function render(text: string, env: Record<string, string>, print = plainPrint): Rendered {
  const parsed = parseTemplate(text, env)
  const rendered = parsed.ok ? parsed.template.render(print) : undefined
  if (rendered?.ok !== true) throw new Error(JSON.stringify(parsed))
  return rendered
}

const problems = (text: string): string[] => {
  const parsed = parseTemplate(text, {})
  return parsed.ok ? [] : parsed.issues.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

describe('what is true', () => {
  test.each([
    ['true', 'yes true'],
    ['TRUE', 'yes true'],
    ['False', 'no false'],
    ['', 'no '],
    ['no', 'yes no'],
    ['0', 'yes 0'],
    [' ', 'yes  '],
    [undefined, 'no '],
  ])('%j prints %j', (value, expected) => {
    expect(render('{{#X}}yes{{/X}}{{^X}}no{{/X}} {{X}}', value === undefined ? {} : { X: value }).text).toBe(expected)
  })

  test('names that every object has are no variables', () => {
    const { text, uses } = render('{{constructor}}{{#toString}}x{{/toString}}{{#X}}{{length}}{{/X}}', { X: 'abc' })
    expect(text).toBe('')
    expect(uses.map(({ name, value }) => [name, value])).toEqual([
      ['constructor', undefined],
      ['length', undefined],
    ])
  })
})

test('renders what Mustache renders', () => {
  const template =
    'a: {{X}}\n{{#ON}}\n  b: {{{Y}}}\n  {{#OFF}}\n  c\n  {{/OFF}}\n{{/ON}}\n{{! comment }}\n{{^OFF}}d{{/OFF}} {{&Z}}\r\n  {{#ON}}  \r\ne{{/ON}}'
  const env = { X: '1', ON: 'on', OFF: '', Y: '<&>', Z: 'a b' }
  expect(render(template, env).text).toBe(Mustache.render(template, env))
})

test('escapes HTML as the ancestor did: entities that are there already stay', () => {
  expect(escapeHtml(`a & b &amp; &#39; &; <"'>\n/`)).toBe('a &amp; b &amp; &#39; &amp;; &lt;&quot;&#39;&gt;&#10;/')
  expect(render('{{X}} {{{X}}} {{&X}}', { X: '<' }, ancestorPrint).text).toBe('&lt; < <')
})

test('every place of the result knows its place in the template', () => {
  const template = 'a: {{X}}b\n{{#ON}}\nc: 1\n  {{#OFF}}\n  gone\n  {{/OFF}}\n{{/ON}}\nd: {{{Y}}} e\n{{^ON}}\nf\n{{/ON}}\ng'
  const rendered = render(template, { X: 'long\nvalue', ON: 'on', Y: '' })
  expect(rendered.text).toBe('a: long\nvalueb\nc: 1\nd:  e\ng')
  const placeOf = (part: string) => Object.values(rendered.toTemplate(rendered.text.lastIndexOf(part))).join(':')
  expect(['b\n', 'long', 'value', 'b', 'c', 'd', 'e', 'g'].map(placeOf)).toEqual([
    '1:9',
    '1:4',
    '1:4',
    '1:9',
    '3:1',
    '8:1',
    '8:12',
    '12:1',
  ])
  expect(rendered.toTemplate(rendered.text.length)).toEqual({ line: 12, column: 2 })
})

test('all faults of the tags are told at once', () => {
  expect(
    problems('{{#a}}\n{{>p}} {{=<% %>=}} {{<q}} {{$r}}\n{{/b}} {{/c}}\n{{a b}} {{}} {{.}} {{{{x}}}}\n{{#z}}\n {{{x}} '),
  ).toEqual([
    '2:1 partials are not supported: a service file is one text; put the other text here',
    '2:8 other delimiters than {{ and }} are not supported; write the text without them',
    '2:20 parents of templates are not supported; put the other text here',
    '2:27 blocks of templates are not supported; put the text here',
    '3:1 {{/b}} closes the section {{#a}}; sections must not cross each other',
    '3:8 {{/c}} closes a section that was not opened; remove it',
    '4:1 "a b" is no name of a variable; a name has no blanks and no braces',
    '4:9 a tag without a name; write the name of a variable into it',
    '4:14 {{.}} is not supported; write the name of the variable',
    '4:20 "{x" is no name of a variable; a name has no blanks and no braces',
    '6:2 a tag begins here and has no end; close it with }}',
    '5:1 the section {{#z}} has no end; close it with {{/z}}',
  ])
})

test('what is too long or too deep is refused, and what is hostile takes no time', () => {
  expect(problems('x'.repeat(1_000_001))).toEqual(['1:1 the file has 1000001 characters, 1000000 is the limit'])
  expect(problems('{{#a}}'.repeat(65))).toEqual(['1:385 sections are nested more than 64 deep'])
  const hostile = ['{{'.repeat(400_000), `{{${' '.repeat(900_000)}`, `{{!${' '.repeat(900_000)}}}`, '{{{'.repeat(300_000)]
  const begin = performance.now()
  for (const text of hostile) expect(problems(text)).not.toEqual([])
  expect(performance.now() - begin).toBeLessThan(5_000)
  const parsed = parseTemplate('{{X}}'.repeat(100_000), { X: 'x'.repeat(100) })
  expect(parsed.ok && parsed.template.render(plainPrint)).toMatchObject({ ok: false, issue: { line: 1, column: 50_001 } })
})
