import { answerJobs } from '../../../base/threads/job-worker.ts'
import { checkYaml } from './yaml.ts'
import type { YamlJob } from './yaml-protocol.ts'

/** Checks YAML files in a thread. See yaml-thread.ts. */
answerJobs<YamlJob>(([batch]) => {
  if (!batch) throw new Error('there are no files')
  return checkYaml(batch.files, batch.config)
})
