import type { YamlReport } from './yaml.ts'

/** The types that `answerJobs` and `JobThreads` need for a batch of YAML files, which is one part. */
export interface YamlJob {
  readonly part: YamlBatch
  readonly piece: never
  readonly result: YamlReport
}

export interface YamlBatch {
  readonly files: readonly Uint8Array<ArrayBuffer>[]
  /** The index of the shared configuration; null when the batch does not contain it. */
  readonly config: number | null
}
