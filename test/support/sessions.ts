import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Runs sessions one after the other in one shell, as if they were pasted, until one of their commands fails.
 * @param folder where the sessions may keep files
 * @returns what each of them wrote
 */
export async function runSessions(
  folder: string,
  sessions: readonly { readonly text: string }[],
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const output = (index: number) => join(folder, `${index}.out`)
  const script = sessions.map(({ text }, index) => `{\n${text}} > '${output(index)}'`).join('\n')
  const file = join(folder, 'session.sh')
  await writeFile(file, `set -euo pipefail\n${script}\n`)
  const env = { PATH: process.env['PATH'], TMPDIR: folder, ...environment }
  const shell = spawn('bash', [file], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const code = await new Promise((resolve) => shell.once('close', resolve))
  if (code !== 0) throw new Error(`a session ended with ${String(code)}:\n${complaint}`)
  return Promise.all(sessions.map((_, index) => readFile(output(index), 'utf8')))
}
