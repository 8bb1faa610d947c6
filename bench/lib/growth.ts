import type { SizeResult } from './measure-all.ts'
import { aligned } from './table.ts'

/** Processor time per request at each size, as a multiple of what it is at the smallest. */
export function growthTable(sizes: readonly SizeResult[]): string {
  const [smallest] = sizes
  const head = ['figure: CPU per request, × that of the smallest', ...sizes.map(({ nodes }) => `${nodes} nodes`)]
  const cost = ({ lines }: SizeResult, name: string) =>
    lines.find((line) => line.name === name)?.figures.orrery?.cpuPerRequest ?? Number.NaN
  const rows = (smallest?.lines ?? []).map(({ name }) => [
    name,
    ...sizes.map((size) => (smallest ? cost(size, name) / cost(smallest, name) : Number.NaN).toFixed(2)),
  ])
  return aligned([head, ...rows], 1)
}
