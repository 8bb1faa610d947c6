import { actionFor, type Action, type Effective } from '../../nebula/action.ts'
import { deepMerge, isSettings, type Settings } from '../../nebula/merge.ts'
import { parseSettings } from '../../nebula/settings-text.ts'
import { isVersion } from '../../nebula/version.ts'
import { signedAnewMark, type Signing } from './files.ts'

/** The files that all nodes receive. */
export interface SharedFiles {
  readonly config: string
  readonly ca: string
}

export interface SharedSides {
  readonly before: SharedFiles
  readonly after: SharedFiles
}

/** The files that only one node receives. */
export interface OwnFiles {
  readonly config: string
  readonly certificate: string
}

/** A node whose files differ. Plain data, since it is sent to a thread. */
export interface ChangedNode {
  /** Nebula's release, as the node reported it; null if it never did. */
  readonly nebulaVersion: string | null
  /** Null if the old, or the new, bundle does not contain the node. */
  readonly before: OwnFiles | null
  readonly after: OwnFiles | null
  readonly signing: Signing | null
}

/** The version assumed for a node that never reported one: the oldest supported, which reloads the fewest settings. */
const oldestNebula = '1.6.1'

/** The release to reckon with, for what a node reported. */
export const assumedVersion = (reported: string | null): string =>
  reported !== null && isVersion(reported) ? reported : oldestNebula

/**
 * The action that Nebula needs on each node. Parsing a large configuration takes long: call it through `planThread`.
 */
export function actionsOf(shared: SharedSides, nodes: readonly ChangedNode[]): Action[] {
  const was = effectiveOf(shared.before)
  // If both sides have the same configuration, it is one object and compares immediately.
  const is = shared.after.config === shared.before.config ? was.with(shared.after) : effectiveOf(shared.after)
  return nodes.map(({ nebulaVersion, before, after, signing }) => {
    const [from, to] = [before && was.of(before), after && is.of(after)]
    // A node that is new in the bundle is started.
    return withSigning(from && to ? actionFor(from, to, assumedVersion(nebulaVersion)) : 'restart', signing)
  })
}

/** Nebula reloads a new certificate; one of another version changes the addresses of its device. */
function withSigning(action: Action, signing: Signing | null): Action {
  if (signing === null) return action
  return signing === 'other version' || action === 'restart' ? 'restart' : 'reload'
}

/** The files of a node, as its agent combines them. */
export function effectiveOf({ config, ca }: SharedFiles, settings = settingsIn(config)) {
  return {
    of: (own: OwnFiles): Effective => ({
      config: deepMerge(settings, settingsIn(own.config)),
      ca,
      certificate: own.certificate.replace(signedAnewMark, ''),
    }),
    /** The same settings with other shared files. */
    with: (files: SharedFiles) => effectiveOf(files, settings),
  }
}

function settingsIn(text: string): Settings {
  const parsed = parseSettings(text)
  return isSettings(parsed) ? parsed : {}
}
