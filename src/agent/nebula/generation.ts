import { readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as z from 'zod'

import { findAgentSettings, type SettingProblem } from '../../nebula/agent-settings.ts'
import { checkIdentity } from '../../nebula/identity.ts'
import { deepMerge, isSettings, settingAt, type Settings } from '../../nebula/merge.ts'
import { markedTimeout } from '../../nebula/reload-signs.ts'
import { parseSettings } from '../../nebula/settings-text.ts'
import { checkSettings } from '../../nebula/settings.ts'
import type { VerifiedSlice } from '../../nebula/bundle/slice.ts'
import { widerOn } from '../../nebula/version-hazards.ts'
import { isAtLeast } from '../../nebula/version.ts'
import type { ClusterFolder } from '../enrollment-state.ts'
import { OtherNebulaNeeded, VersionRefused } from '../errors.ts'
import { isMissing, pointTo, removeFile, targetOf, writeFolder } from '../../base/files.ts'
import { jsonOf } from '../../base/json.ts'

/** What Nebula can run on: a version's settings with the matching certificate, in a folder of their own. */
export interface Generation {
  /** The folder below `versions`: the version and a number, since a renewed certificate makes another generation. */
  readonly name: string
  readonly version: number
  /** config.yml with node.yml merged over it, without the agent's additions. */
  readonly config: Settings
  readonly ca: string
  readonly certificate: string
}

const metaText = jsonOf(z.object({ version: z.int().positive(), config: z.record(z.string(), z.unknown()) }))

/** How many generations are kept on the disk, including the running one. */
const kept = 3

/**
 * The settings of a slice, checked: each is known to Nebula and not decided by the agent, and this machine's Nebula
 * reads none as wider than meant. What the manifest says about that is not trusted alone.
 * @throws VersionRefused that names each setting and the rule
 */
export function settingsOf(slice: VerifiedSlice, certificate: string, nebulaVersion: string): Settings {
  const { manifest, ca } = slice
  const merged = mergedSettings(slice)
  assertNotWider(merged, nebulaVersion)
  const { minimumNebulaVersion: minimum } = manifest
  if (!isAtLeast(nebulaVersion, minimum)) {
    throw new OtherNebulaNeeded(`needs Nebula ${minimum} or newer; the one of this machine is ${nebulaVersion}`)
  }
  const problems = [...findAgentSettings(merged), ...checkSettings(merged), ...checkIdentity(ca, certificate)]
  if (problems.length > 0) throw new VersionRefused(sayProblems(problems))
  return merged
}

/**
 * Refuses settings that a Nebula reads as wider than meant: it would let in peers that the firewall keeps out.
 * @throws OtherNebulaNeeded that names each setting
 */
export function assertNotWider(config: Settings, nebulaVersion: string): void {
  const wider = widerOn(config, nebulaVersion)
  if (wider.length > 0) throw new OtherNebulaNeeded(sayProblems(wider))
}

/**
 * The settings of a slice without checks: config.yml with node.yml merged over it.
 * @throws VersionRefused when they cannot be read
 */
export const mergedSettings = ({ config, nodeConfig }: VerifiedSlice): Settings =>
  deepMerge(readYaml('config.yml', config), readYaml('node.yml', nodeConfig))

/** Writes a generation beside the running one; nothing uses it yet. */
export async function writeGeneration(folder: ClusterFolder, draft: Omit<Generation, 'name'>): Promise<Generation> {
  const taken = await generationNames(folder)
  let number = 1
  while (taken.includes(`${draft.version}-${number}`)) number += 1
  const generation = { ...draft, name: `${draft.version}-${number}` }
  const path = folder.file('versions', generation.name)
  const { version, config, ca, certificate } = generation
  // JSON is YAML too, and all YAML readers agree on it.
  const effective = JSON.stringify(withAgentSettings(config, folder, { path, version, number }), null, 2)
  await writeFolder(
    path,
    new Map([
      ['config.yml', `${effective}\n`],
      ['ca.crt', ca],
      ['host.crt', certificate],
      ['meta.json', JSON.stringify({ version, config })],
    ]),
  )
  return generation
}

/** The configuration file that Nebula is started with; it stays the same when the generation changes. */
export const currentConfig = (folder: ClusterFolder): string => folder.file('current', 'config.yml')

/** The configuration file of one generation. */
export const configOf = (folder: ClusterFolder, { name }: Generation): string =>
  folder.file('versions', name, 'config.yml')

/**
 * The links to generations. `current` is what Nebula reads. `proven` was last seen running, and is the fallback from
 * everything else. `retried` is a generation that a start found current but not proven, and tries once more.
 */
export type GenerationLink = 'current' | 'proven' | 'retried'

/** Points a link at a generation: in one step, and on the disk when it returns. */
export async function pointLink(folder: ClusterFolder, link: GenerationLink, { name }: Generation): Promise<void> {
  if ((await linkedName(folder, link)) !== name) await pointTo(folder.file(link), join('versions', name))
}

/** Removes a link, if there is one. */
export const dropLink = (folder: ClusterFolder, link: GenerationLink): Promise<void> => removeFile(folder.file(link))

/** The generation that a link points to; null without a link, and when the files are gone or damaged. */
export async function readLinked(folder: ClusterFolder, link: GenerationLink): Promise<Generation | null> {
  const name = await linkedName(folder, link)
  if (name === null) return null
  try {
    const read = (file: string) => readFile(folder.file('versions', name, file), 'utf8')
    const { version, config } = metaText.parse(await read('meta.json'))
    return { name, version, config, ca: await read('ca.crt'), certificate: await read('host.crt') }
  } catch (error) {
    if (isMissing(error) || error instanceof z.ZodError) return null
    throw error
  }
}

/** Removes generations older than the last few, except those that run or were proven to run. */
export async function prune(folder: ClusterFolder): Promise<void> {
  const order = (name: string) => name.split('-').map(Number) as [number, number]
  const names = await generationNames(folder)
  const newestFirst = names.sort((a, b) => order(b)[0] - order(a)[0] || order(b)[1] - order(a)[1])
  const spared = await linkedNames(folder)
  const others = newestFirst.filter((name) => !spared.includes(name))
  for (const name of others.slice(kept - 1)) await rm(folder.file('versions', name), { recursive: true, force: true })
}

/** Removes a generation that does not run, unless a link points to it. */
export async function discard(folder: ClusterFolder, { name }: Generation): Promise<void> {
  if ((await linkedNames(folder)).includes(name)) return
  await rm(folder.file('versions', name), { recursive: true, force: true })
}

async function linkedName(folder: ClusterFolder, link: GenerationLink): Promise<string | null> {
  const target = await targetOf(folder.file(link))
  return target === null ? null : basename(target)
}

const linkedNames = async (folder: ClusterFolder): Promise<(string | null)[]> =>
  Promise.all((['current', 'proven'] as const).map((link) => linkedName(folder, link)))

async function generationNames(folder: ClusterFolder): Promise<string[]> {
  return (await readdir(folder.file('versions'))).filter((name) => /^\d+-\d+$/.test(name))
}

/** The tunnel's device: the configuration's, or a name that no other cluster of the machine uses. */
export const deviceOf = (config: Settings, folder: ClusterFolder): unknown =>
  settingAt(config, ['tun', 'dev']) ?? `orry${basename(folder.path).slice(0, 8)}`

/** Adds the settings that the agent decides on its machine. */
function withAgentSettings(
  config: Settings,
  folder: ClusterFolder,
  { path, ...generation }: { path: string; version: number; number: number },
): Settings {
  const timeout = settingAt(config, ['firewall', 'conntrack', 'default_timeout'])
  return deepMerge(config, {
    pki: { ca: join(path, 'ca.crt'), cert: join(path, 'host.crt'), key: folder.keyFile },
    logging: { level: settingAt(config, ['logging', 'level']) ?? 'info', format: 'json' },
    tun: { dev: deviceOf(config, folder) },
    // Nebula logs the line that ends a reload only when the text of its firewall section has changed.
    firewall: { conntrack: { default_timeout: markedTimeout(timeout, generation) } },
  })
}

function readYaml(file: string, text: string): Settings {
  let parsed: unknown
  try {
    parsed = parseSettings(text, 100)
  } catch (error) {
    throw new VersionRefused(`${file} is no YAML`, { cause: error })
  }
  if (parsed === null) return {}
  if (isSettings(parsed)) return parsed
  throw new VersionRefused(`${file} is not a section of settings`)
}

const sayProblems = (problems: readonly SettingProblem[]): string => problems.slice(0, 10).map(sayProblem).join('; ')

const sayProblem = ({ path, message }: SettingProblem): string => `${path.join('.')} ${message}`
