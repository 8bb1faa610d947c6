import * as z from 'zod'

import type { ClusterFolder } from './enrollment-state.ts'
import { writeWhole } from '../base/files.ts'
import { jsonOf } from '../base/json.ts'

const failedText = jsonOf(
  z
    .object({
      version: z.int(),
      reason: z.string(),
      /** The Nebula version that is the reason, where another one could run the version. */
      nebulaVersion: z.string().optional(),
    })
    .nullable(),
)

/** The newest version that does not run on this machine, and why; null when there is none. Kept in `failed.json`. */
export type Failed = Readonly<z.infer<typeof failedText>>

/**
 * A record that cannot be read is ignored, and so is one that another Nebula caused: the version is tried once more.
 * @param nebulaVersion of the machine's Nebula; left out where the reason does not matter
 */
export async function readFailed(folder: ClusterFolder, nebulaVersion?: string): Promise<Failed> {
  const failed = failedText.safeParse((await folder.read('failed.json')) ?? 'null').data ?? null
  const isOther =
    failed?.nebulaVersion !== undefined && failed.nebulaVersion !== (nebulaVersion ?? failed.nebulaVersion)
  return isOther ? null : failed
}

export const writeFailed = (folder: ClusterFolder, failed: Failed): Promise<void> =>
  writeWhole(folder.file('failed.json'), JSON.stringify(failed))

/** For people. */
export const sayFailed = ({ version, reason }: NonNullable<Failed>): string => `version ${version}: ${reason}`
