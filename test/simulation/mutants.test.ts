import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyEdit, mutants } from './mutants.js'

const src = join(import.meta.dirname, '../../src')

test.for(mutants)('$name: its places are in the source, and it changes them', ({ edits }) => {
  const texts = new Map<string, string>()
  for (const edit of edits) {
    const before = texts.get(edit.file) ?? readFileSync(join(src, edit.file), 'utf8')
    const after = applyEdit(before, edit)
    expect(after).not.toBe(before)
    texts.set(edit.file, after)
  }
})

test('a text that is not there is an error', () => {
  expect(() => applyEdit('one two', { file: 'x.ts', find: 'three', replace: '' })).toThrow('0 times')
  expect(() => applyEdit('one one', { file: 'x.ts', find: 'one', replace: '' })).toThrow('2 times')
})
