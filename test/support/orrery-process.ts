import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { eventually } from './eventually.ts'

/** The program as it is shipped: global-setup.ts has built it. */
export const program = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))

/**
 * `orrery …` as a process of its own, in a folder of its own.
 * @param starter starts the program and is replaced by it, such as `prlimit`
 */
export function orrery(args: readonly string[], environment: Record<string, string>, starter: readonly string[] = []) {
  const [first = process.execPath, ...others] = [...starter, process.execPath, program, ...args]
  const child = spawn(first, others, {
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
    await eventually(
      () => `the server has started:\n${output}`,
      () => {
        if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output}`)
        return output.includes('Three mutations')
      },
    )
    const [, url = ''] = /Orrery is ready: (http:\/\/[\d.:]+)/.exec(output) ?? []
    return { url, output }
  }
  return { child, ended, ready }
}

/** An operator's JWT for a server in this environment. */
export async function operatorToken(environment: Record<string, string>): Promise<string> {
  const { code, output } = await orrery(['token', 'create', '--role', 'operator', '--jwt'], environment).ended
  if (code !== 0) throw new Error(`no token was made:\n${output}`)
  return output.trim()
}

/** Exchanges a sign-in link made by `orrery sign-in` for a session, at a server that runs in this environment. */
export async function sessionToken(url: string, environment: Record<string, string>): Promise<string> {
  const { code, output } = await orrery(['sign-in'], environment).ended
  const [, address, secret] = /^(http:\/\/[\d.:]+)\/sign-in#(orl_[\w-]+)\n$/.exec(output) ?? []
  if (code !== 0 || address !== url) throw new Error(`no link to ${url} was made:\n${output}`)
  const headers = { 'content-type': 'application/json', 'x-orrery-client': 'web' }
  const response = await fetch(`${url}/sign-in`, { method: 'POST', headers, body: JSON.stringify({ code: secret }) })
  const [, token] = /=(ors_[\w-]+);/.exec(response.headers.get('set-cookie') ?? '') ?? []
  if (token === undefined) throw new Error(`the link was not exchanged: HTTP ${response.status}`)
  return token
}
