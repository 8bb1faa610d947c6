import { aligned, type SizeResult } from './table.ts'

/**
 * Processor time per request at each size, as a multiple of that at the smallest size. The unit is the time of bare
 * node:http in the same minutes, since the machine's own speed varies from one minute to the next.
 */
export function growthTable(sizes: readonly SizeResult[]): string {
  const [smallest] = sizes
  const head = [
    'figure: CPU per request of bare’s, × that of the smallest',
    ...sizes.map(({ nodes }) => `${nodes} nodes`),
  ]
  const cost = ({ lines }: SizeResult, name: string) =>
    1 / (lines.find((line) => line.name === name)?.figures.bare?.cpuRatio ?? Number.NaN)
  const rows = (smallest?.lines ?? []).map(({ name }) => [
    name,
    ...sizes.map((size) => (smallest ? cost(size, name) / cost(smallest, name) : Number.NaN).toFixed(2)),
  ])
  return aligned([head, ...rows], 1)
}
