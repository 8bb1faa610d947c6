import * as z from 'zod'

import type { ClusterFolder } from './enrolment-state.ts'
import { writeWhole } from '../base/files.ts'

const shape = z.object({ version: z.int(), reason: z.string() }).nullable()

/** The newest version that does not run on a machine, and why; null when there is none. Kept in `failed.json`. */
export type Failed = Readonly<z.infer<typeof shape>>

/** One that cannot be read is forgotten: the version is then tried once more. */
export async function readFailed(folder: ClusterFolder): Promise<Failed> {
  try {
    return shape.parse(JSON.parse((await folder.read('failed.json')) ?? 'null'))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw error
  }
}

export const writeFailed = (folder: ClusterFolder, failed: Failed): Promise<void> =>
  writeWhole(folder.file('failed.json'), JSON.stringify(failed))

/** For people. */
export const sayFailed = ({ version, reason }: NonNullable<Failed>): string => `version ${version}: ${reason}`
