import type { Settings } from '../../../src/nebula/merge.ts'
import type { Files, HandNebula } from './hand-nebula.ts'
import { reaches } from './pings.ts'
import type { ReloadScene } from './reload-scene.ts'

/** What a machine gets besides the scene's own files. */
export interface Given extends Partial<Omit<Files, 'settings'>> {
  readonly settings?: Settings
}

/** A setting that is changed while Nebula runs, and how to observe that the change is in force. */
export interface ReloadCase {
  /** As in Nebula's file. */
  readonly setting: string
  readonly what: string
  /** The first Nebula that knows it. */
  readonly since?: string
  readonly before: (scene: ReloadScene) => Given
  readonly after: (scene: ReloadScene) => Given
  /** What the other machines run; by default, the scene's own files. */
  readonly far?: (scene: ReloadScene) => Given
  readonly tower?: (scene: ReloadScene) => Given
  readonly third?: (scene: ReloadScene) => Given
  /** Before the change. */
  readonly prepare?: (scene: ReloadScene) => Promise<unknown>
  /** Must be false before the change, unless a check would spoil it (`unseen`). */
  readonly inForce: (scene: ReloadScene) => Promise<boolean>
  readonly unseen?: true
  /** Only run by `npm run test:reload`: it takes long, or differs little from another case. */
  readonly slow?: true
}

export const nothing = (): Given => ({})
export const only = (settings: Settings) => (): Given => ({ settings })
export const nobody = [{ port: '1', proto: 'tcp', host: 'nobody' }]
export const ping = (from: HandNebula, to: HandNebula | string) =>
  reaches(from.machine, typeof to === 'string' ? to : to.overlayIp)
export const not = async (what: Promise<boolean>) => !(await what)
export const everywhere = '198.18.0.0/15'
export const show = async ({ machine }: HandNebula, ...command: string[]) => machine.exec(...command).catch(() => '')
export const denied = (address: string): Settings => ({
  lighthouse: { remote_allow_list: { [`${address}/32`]: false, '0.0.0.0/0': true } },
})
