import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The program as it is shipped: global-setup.ts has built it. */
export const program = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))

/** `orrery …` as a process of its own, in a folder of its own. */
export function orrery(args: readonly string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], ORRERY_LOG_LEVEL: 'warn', ORRERY_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output })
    })
  })
  const ready = async () => {
    while (!output.includes('Three mutations')) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const [, url = ''] = /Orrery is ready: (http:\/\/[\d.:]+)/.exec(output) ?? []
    return { url, output }
  }
  return { child, ended, ready }
}

/** An operator's token for what runs in this environment. */
export async function operatorToken(environment: Record<string, string>): Promise<string> {
  const { code, output } = await orrery(['token', 'create', '--role', 'operator'], environment).ended
  if (code !== 0) throw new Error(`no token was made:\n${output}`)
  return output.trim()
}
