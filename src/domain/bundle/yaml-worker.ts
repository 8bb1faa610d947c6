import { parentPort } from 'node:worker_threads'
import { checkYaml } from './yaml.ts'

/** The thread that YAML files are checked in: files' bytes come in, their report goes out. See yaml-thread.ts. */
parentPort?.on('message', (files: Uint8Array[]) => {
  parentPort?.postMessage(checkYaml(files))
})
