/**
 * The tags of a template, found in one pass before Mustache sees it: every fault of their syntax with its place, and no tag in a
 * form that Mustache takes more than linear time for. Partials, other delimiters and the like are refused: a service file is one
 * text, and its variables are plain text. Pure.
 */

/** A fault at an offset of the template. */
export interface TagProblem {
  readonly offset: number
  readonly message: string
}

/** Sections inside each other; also how deep the rendering goes. */
const maxDepth = 64
/** Blanks beside a name; Mustache looks for the end of a tag anew from each blank. */
const maxBlanks = 100
const maxName = 255
const maxComment = 4_000

const refused: Readonly<Record<string, string>> = {
  '=': 'other delimiters than {{ and }} are not supported; write the text without them',
  '>': 'partials are not supported: a service file is one text; put the other text here',
  '<': 'parents of templates are not supported; put the other text here',
  $: 'blocks of templates are not supported; put the text here',
}

interface Tag {
  readonly kind: string
  readonly name: string
  readonly offset: number
  readonly end: number
}

/** Empty when Mustache can read the template. */
export function findTagProblems(template: string): TagProblem[] {
  const problems: TagProblem[] = []
  const say = (offset: number, message: string): void => void problems.push({ offset, message })
  const open: Tag[] = []
  for (let at = template.indexOf('{{'); at >= 0;) {
    const tag = readTag(template, at)
    if (tag === undefined) {
      say(at, 'a tag begins here and has no end; close it with }}')
      break
    }
    checkTag(tag, say)
    if (tag.kind === '#' || tag.kind === '^') {
      open.push(tag)
      if (open.length > maxDepth) {
        say(tag.offset, `sections are nested more than ${maxDepth} deep`)
        return problems
      }
    }
    if (tag.kind === '/') closeSection(open, tag, say)
    at = template.indexOf('{{', tag.end)
  }
  for (const { kind, name, offset } of open) say(offset, `the section {{${kind}${name}}} has no end; close it with {{/${name}}}`)
  return problems
}

type Say = (offset: number, message: string) => void

/** In the way Mustache does: blanks, a sign, blanks, and all up to the next end. */
function readTag(template: string, offset: number): Tag | undefined {
  const start = skipBlanks(template, offset + 2)
  const first = template.charAt(start)
  const kind = '#^/{&=!><$'.includes(first) ? first : ''
  const close = kind === '{' ? '}}}' : '}}'
  const begin = start + kind.length
  const end = template.indexOf(close, begin)
  return end < 0 ? undefined : { kind, name: template.slice(begin, end), offset, end: end + close.length }
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text.charAt(at))) at += 1
  return at
}

function checkTag(tag: Tag, say: Say): void {
  const reason = refused[tag.kind]
  if (reason !== undefined) return say(tag.offset, reason)
  if (tag.kind === '!') {
    if (tag.name.length > maxComment || hasLongBlank(tag.name))
      say(tag.offset, `a comment may have ${maxComment} characters, and ${maxBlanks} blanks in a row; use YAML comments (#)`)
    return
  }
  const name = tag.name.trim()
  if (tag.end - tag.offset > maxName + maxBlanks) say(tag.offset, `a tag may have ${maxName} characters; shorten it`)
  else if (name === '') say(tag.offset, 'a tag without a name; write the name of a variable into it')
  else if (/[\s{}]/.test(name))
    say(tag.offset, `${JSON.stringify(name)} is no name of a variable; a name has no blanks and no braces`)
  else if (name === '.') say(tag.offset, '{{.}} is not supported; write the name of the variable')
}

const hasLongBlank = (text: string): boolean => {
  let run = 0
  for (const sign of text) {
    run = /\s/.test(sign) ? run + 1 : 0
    if (run > maxBlanks) return true
  }
  return false
}

/** What was opened last is closed first. */
function closeSection(open: Tag[], tag: Tag, say: Say): void {
  const last = open.pop()
  const name = tag.name.trim()
  if (last === undefined) say(tag.offset, `{{/${name}}} closes a section that was not opened; remove it`)
  else if (last.name.trim() !== name)
    say(tag.offset, `{{/${name}}} closes the section {{${last.kind}${last.name.trim()}}}; sections must not cross each other`)
}
