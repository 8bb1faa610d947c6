import { parentPort } from 'node:worker_threads'
import { checkYaml } from './yaml.ts'

/** The thread that YAML files are checked in: files' bytes come in, their report goes out. See yaml-thread.ts. */
parentPort?.on('message', ({ files, config }: { files: Uint8Array[]; config: number | null }) => {
  parentPort?.postMessage(checkYaml(files, config))
})
