import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'

import type { ClusterFolder } from './enrolment-state.ts'
import { AgentError } from './errors.ts'

/** How often a socket that nobody answers on is cleared away: another start may do so at the same time. */
const tries = 3

/**
 * Makes this process the one agent of a cluster's folder, for as long as it lives: it listens on a socket in the folder,
 * where only the folder's owner gets, and whose other end the system closes however the process ends.
 * @returns gives the folder back
 * @throws AgentError when another agent has it
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

/** A server on the socket; null where there is a socket already, be it of a process that has ended. */
function listening(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((asking) => asking.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(new AgentError(`${path} cannot be made: ${error.message}`))
    })
    server.listen(path, () => {
      // What keeps the agent running is its work.
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
