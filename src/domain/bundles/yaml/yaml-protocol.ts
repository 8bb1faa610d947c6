import type { YamlReport } from './yaml.ts'

/** What `answerJobs` and `JobThreads` are told of a batch of YAML files: it is one part. */
export interface YamlJob {
  readonly part: YamlBatch
  readonly piece: never
  readonly result: YamlReport
}

export interface YamlBatch {
  readonly files: readonly Uint8Array<ArrayBuffer>[]
  /** Which of them is the shared configuration, by its place; null when none is. */
  readonly config: number | null
}
