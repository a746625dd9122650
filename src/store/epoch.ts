/** What every durable store writes under `epoch`: its layout, how many leaders there have been, and who the last one is. Pure. */

/** Read by every version; one that finds a greater number must refuse. */
export const layoutVersion = 1

export const printEpoch = (epoch: number, holder: string): string => JSON.stringify({ layout: layoutVersion, epoch, holder })

/** The epoch that a text names, if it is of this layout. */
export function parseEpoch(text: string): number | undefined {
  try {
    const { layout, epoch } = JSON.parse(text) as { layout?: unknown; epoch?: unknown }
    return layout === layoutVersion && typeof epoch === 'number' ? epoch : undefined
  } catch {
    return undefined
  }
}
