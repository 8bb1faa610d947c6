import { actionFor, type Action, type Effective } from '../../nebula/action.ts'
import { deepMerge, isSettings, type Settings } from '../../nebula/merge.ts'
import { parseSettings } from '../../nebula/settings-text.ts'
import { isVersion } from '../../nebula/version.ts'
import { SIGNED_ANEW, type Signing } from './files.ts'

/** What all nodes are given. */
export interface SharedFiles {
  readonly config: string
  readonly ca: string
}

export interface SharedSides {
  readonly before: SharedFiles
  readonly after: SharedFiles
}

/** What a node is given for itself. */
export interface OwnFiles {
  readonly config: string
  readonly certificate: string
}

/** A node whose files differ; plain data: it goes to a thread. */
export interface ChangedNode {
  /** Nebula's release, as it reported it; null when it never did. */
  readonly nebulaVersion: string | null
  /** Null where the bundle did not have it, or will not. */
  readonly before: OwnFiles | null
  readonly after: OwnFiles | null
  readonly signing: Signing | null
}

/** What is assumed of a node that never said what it runs: the oldest that is served, which reads the least again. */
const OLDEST_NEBULA = '1.6.1'

/** What the Nebula of each node would need. Reading a large configuration takes long: call it through `planThread`. */
export function actionsOf(shared: SharedSides, nodes: readonly ChangedNode[]): Action[] {
  const was = effectiveOf(shared.before)
  // What is the same on both sides is one value, and compared at once.
  const is = shared.after.config === shared.before.config ? was.with(shared.after) : effectiveOf(shared.after)
  return nodes.map(({ nebulaVersion, before, after, signing }) => {
    const [from, to] = [was.of(before), is.of(after)]
    const version = nebulaVersion !== null && isVersion(nebulaVersion) ? nebulaVersion : OLDEST_NEBULA
    // What the bundle did not have before is started.
    return withSigning(from && to ? actionFor(from, to, version) : 'restart', signing)
  })
}

/** A new certificate is read again; one of another version gives the device other addresses. */
function withSigning(action: Action, signing: Signing | null): Action {
  if (signing === null) return action
  return signing === 'other version' || action === 'restart' ? 'restart' : 'reload'
}

/** What a node runs on, as its agent puts it together. */
function effectiveOf({ config, ca }: SharedFiles, settings = settingsIn(config)) {
  return {
    of: (own: OwnFiles | null): Effective | null =>
      own && {
        config: deepMerge(settings, settingsIn(own.config)),
        ca,
        certificate: own.certificate.replace(SIGNED_ANEW, ''),
      },
    /** The same settings with other files beside them. */
    with: (files: SharedFiles) => effectiveOf(files, settings),
  }
}

function settingsIn(text: string): Settings {
  const parsed = parseSettings(text)
  return isSettings(parsed) ? parsed : {}
}
