import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'

import type { ClusterFolder } from './enrollment-state.ts'
import { AgentError } from './errors.ts'

/** How often to remove a socket on which no process answers: another start may do so at the same time. */
const tries = 3

/**
 * Makes this process the only agent of a cluster's folder, for as long as it lives: it listens on a socket in the
 * folder, which only the folder's owner can reach, and which the system closes however the process ends.
 * @returns releases the folder
 * @throws AgentError when another agent holds it
 */
export async function becomeSoleAgent(folder: ClusterFolder): Promise<() => Promise<void>> {
  const path = folder.file('agent.sock')
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const server = await listening(path)
    if (server) return () => new Promise((resolve) => server.close(() => resolve()))
    if (await isAnswered(path)) break
    await rm(path, { force: true })
  }
  throw new AgentError(`another agent runs on ${folder.path}: stop that one first`)
}

/** A server on the socket; null where there is a socket already, even one of a process that has ended. */
function listening(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((asking) => asking.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(new AgentError(`${path} cannot be made: ${error.message}`))
    })
    server.listen(path, () => {
      // The agent's work keeps the process running, not this socket.
      server.unref()
      resolve(server)
    })
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answered: boolean) => () => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', settle(true)).once('error', settle(false))
  })
}
