import type { Figures } from './measure.ts'
import { targetTitles, type TargetName } from './targets.ts'

/** One line of a table: a figure's name, its description, and each server's result. */
export interface Line {
  readonly name: string
  readonly title: string
  readonly figures: Figures
}

/** The lines of one database. */
export interface SizeResult {
  readonly nodes: number
  readonly lines: readonly Line[]
}

const others: readonly TargetName[] = ['bare', 'sql', 'mercurius', 'apollo', 'postgraphile']

/**
 * A table of one database: Orrery's own figures, then Orrery's requests per second relative to each other server's
 * (and, after it, the same by processor time). A figure with failed requests is marked.
 */
export function tableOf(lines: readonly Line[]): string {
  const measured = others.filter((name) => lines.some(({ figures }) => figures[name]))
  const heads = ['figure', 'what', 'req/s', 'CPU µs', 'p50 ms', 'p99 ms']
  const rows = lines.map(({ name, title, figures }) => {
    const own = figures.orrery
    if (!own) return [name, title]
    const numbers = [
      own.requestsPerSecond.toFixed(0),
      own.cpuPerRequest.toFixed(0),
      own.p50.toFixed(1),
      own.p99.toFixed(1),
    ]
    const ratios = measured.map((other) => {
      const figure = figures[other]
      return figure
        ? `${short(figure.ratio)} (${short(figure.cpuRatio)})${mark(figure.failures, figure.requests)}`
        : '–'
    })
    return [`${name}${mark(own.failures, own.requests)}`, title, ...numbers, ...ratios]
  })
  return aligned([[...heads, ...measured.map((name) => `of ${targetTitles[name]}`)], ...rows])
}

const mark = (failures: number, requests: number): string => (failures > 0 ? ` ✗ ${failures}/${requests} failed` : '')

const short = (ratio: number): string => (ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0))

/** Aligns columns: the first two to the left, numbers to the right. */
export function aligned(rows: readonly (readonly string[])[], left = 2): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at < left ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  const [head = [], ...body] = rows
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)].join('\n')
}
