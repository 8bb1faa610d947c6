import type { ChangeWarning } from './warning.ts'

/**
 * A name that firewall rules cannot select: in Nebula, `any` matches every host (its configuration reference,
 * `firewall`).
 */
export const everybodysName = (name: string, path: readonly string[]): ChangeWarning[] =>
  name === 'any'
    ? [
        {
          code: 'MEANS_EVERYBODY',
          path,
          message:
            'a firewall rule for host "any" is for everybody, so that none can be for this node: take another name',
        },
      ]
    : []

/** The same for groups. */
export const everybodysGroup = (groups: readonly string[], path: readonly string[]): ChangeWarning[] =>
  groups.flatMap((group, index) =>
    group === 'any'
      ? [
          {
            code: 'MEANS_EVERYBODY' as const,
            path: [...path, String(index)],
            message:
              'a firewall rule for group "any" is for everybody, so that none can be for this group: take another name',
          },
        ]
      : [],
  )
