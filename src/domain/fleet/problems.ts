import type { ClusterFigures } from './figures.ts'

/** What got worse in a cluster. */
export const problemKinds = [
  'NODES_FAILED',
  'NODES_OFFLINE',
  'NODES_BLOCKED',
  'CERTIFICATES_END_SOON',
  'CERTIFICATES_ENDED',
  'CA_ENDS_SOON',
  'CA_ENDED',
  'UNPUBLISHED',
] as const
export type ProblemKind = (typeof problemKinds)[number]

/** Something that got worse in a cluster, with the figures that show it. */
export interface Problem {
  readonly problem: ProblemKind
  readonly figures: ClusterFigures
}

/** What got worse from one reading of a cluster's figures to the next. */
export function problemsBetween(before: ClusterFigures, figures: ClusterFigures): Problem[] {
  const rose = (of: (one: ClusterFigures) => number) => of(figures) > of(before)
  const became = (status: ClusterFigures['caStatus']) => figures.caStatus === status && before.caStatus !== status
  const isWorse: Record<Exclude<ProblemKind, 'UNPUBLISHED'>, boolean> = {
    NODES_FAILED: rose(({ convergence }) => convergence.failed),
    NODES_OFFLINE: rose(({ nodes }) => nodes.OFFLINE),
    NODES_BLOCKED: rose(({ nodes }) => nodes.BLOCKED),
    CERTIFICATES_END_SOON: rose(({ certificatesEnding }) => certificatesEnding.within7Days),
    CERTIFICATES_ENDED: rose(({ convergence }) => convergence.certificateEnded),
    CA_ENDS_SOON: became('ENDS_SOON'),
    CA_ENDED: became('ENDED'),
  }
  return problemKinds.flatMap((problem) =>
    problem !== 'UNPUBLISHED' && isWorse[problem] ? [{ problem, figures }] : [],
  )
}
