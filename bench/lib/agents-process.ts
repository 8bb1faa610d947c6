import { type ChildProcess, fork } from 'node:child_process'

import type { AgentsCommand } from './agents.ts'
import { root } from './processes.ts'

/** The process that plays the agents; on the core of the load, like its parent. */
export class Agents {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(`${root}bench/lib/agents.ts`, { execArgv: ['--import', 'tsx'], cwd: root })
  }

  ask<Answer = null>(command: AgentsCommand): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the process of the agents ended'))
      this.#child.once('message', ({ answer }: { answer: Answer }) => {
        this.#child.off('exit', onExit)
        resolve(answer)
      })
      this.#child.once('exit', onExit)
      this.#child.send(command)
    })
  }

  end(): void {
    this.#child.kill()
  }
}
