/** A Nebula version: `1.6.1`, `v1.10.0-rc1`, `1.9.0+dfsg`. */
interface Version {
  readonly numbers: readonly number[]
  /** `rc1` of `1.10.0-rc1`; null for a release. */
  readonly preRelease: string | null
}

const form = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.+~-]+)?$/

/** Whether a text is a version. */
export const isVersion = (text: string): boolean => form.test(text)

/**
 * Orders two versions as semver.org does: negative when `a` is older. Build metadata (`+…`) does not count.
 * @throws RangeError when one is not a version
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)]
  for (const [index, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (left.preRelease === right.preRelease) return 0
  if (left.preRelease === null) return 1
  if (right.preRelease === null) return -1
  return left.preRelease.localeCompare(right.preRelease, 'en', { numeric: true })
}

/** Whether a version is `minimum` or newer; a release candidate of the minimum counts, since it has the features. */
export const isAtLeast = (version: string, minimum: string): boolean =>
  compareVersions(version.replace(/-.*$/, ''), minimum) >= 0

/** The version that a Nebula prints for `-version`; null for any other output. */
export function versionIn(output: string): string | null {
  const text = /^Version: (\S+)\s*$/m.exec(output)?.[1]
  return text !== undefined && isVersion(text) ? text : null
}

function parse(text: string): Version {
  const [, major, minor, patch, preRelease = null] = form.exec(text) ?? []
  if (major === undefined) throw new RangeError(`${JSON.stringify(text)} is not a version`)
  return { numbers: [major, minor, patch].map(Number), preRelease }
}
