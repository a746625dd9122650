/** Module hooks of typescript.mjs: `.js` in an import means the `.ts` beside it, whose types are taken out. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath, URL } from 'node:url'
import { transform } from 'esbuild'

const isSource = (url) => url.startsWith('file:') && url.endsWith('.ts') && !url.includes('/node_modules/')

export async function resolve(specifier, context, next) {
  if (/^\.{0,2}\/.*\.js$/.test(specifier) && context.parentURL !== undefined && isSource(context.parentURL)) {
    const source = new URL(specifier.replace(/js$/, 'ts'), context.parentURL)
    if (existsSync(source)) return { url: source.href, shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (!isSource(url)) return next(url, context)
  const sourcefile = fileURLToPath(url)
  const { code } = await transform(await readFile(sourcefile, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    sourcefile,
  })
  return { format: 'module', source: code, shortCircuit: true }
}
