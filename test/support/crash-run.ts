/** Deployments and updates of a service with one fault each, in simulated clusters. */
import { createLife, type Chapter, type FaultPoint, type LifeOptions } from './crash-life.js'

/** One deployment. */
export async function runDeployment(options: LifeOptions, fault?: FaultPoint): Promise<Chapter> {
  const life = createLife(options)
  try {
    life.begin(fault)
    if (await life.follow('deploy', options.first)) await life.rest(options.first)
    return life.chapter()
  } finally {
    await life.end()
  }
}

/**
 * After a deployment one update for each fault, there and back again, each by a scheduler that is started with the other spec while
 * the one before is stopped. Ends with the first that is not well: what comes after it would begin with its problems.
 *
 * @throws Error when the deployment fails
 */
export async function runUpdates(
  options: LifeOptions,
  faults: readonly (FaultPoint | undefined)[],
  isWell: (chapter: Chapter, index: number) => boolean = ({ problems }) => problems.length === 0,
): Promise<Chapter[]> {
  const { first, second } = options
  const life = createLife(options)
  try {
    if (await life.follow('deploy', first)) await life.rest(first)
    const { problems } = life.chapter()
    if (problems.length > 0) throw new Error(`the deployment before the updates failed without a fault: ${problems.join('; ')}`)
    const chapters: Chapter[] = []
    for (const [index, fault] of faults.entries()) {
      const spec = index % 2 === 0 ? second : first
      life.begin(fault)
      await life.stop()
      if (await life.follow('update', spec)) await life.rest(spec)
      const chapter = life.chapter()
      chapters.push(chapter)
      if (!isWell(chapter, index)) break
    }
    return chapters
  } finally {
    await life.end()
  }
}
