import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the service in the README is the one in the examples', () => {
  const [block] = /```ts\n([\s\S]*?)```/.exec(read('README.md'))?.slice(1) ?? []
  expect(block).toBe(read('examples/quickstart/service.mts'))
})

test('every page that the README links to exists', () => {
  const links = [...read('README.md').matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? '')
  const missing = links.filter((link) => !link.startsWith('http') && !exists(link))
  expect(missing).toEqual([])
})

function exists(path: string): boolean {
  try {
    read(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR'
  }
}
