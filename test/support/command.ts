import { Command, CommanderError } from 'commander'

import { addMigrateCommands } from '../../src/cli/migrate.ts'
import { addTokenCommands } from '../../src/cli/token.ts'

/**
 * Runs `orrery …` in this process, as far as it opens no port, and returns its complaint. Starting a process for each
 * of many refusals would take minutes.
 * @param args the arguments of the command line
 * @param environment Orrery's complete environment
 * @returns the error's name and message; null when nothing was refused
 */
export async function complaintOf(
  args: readonly string[],
  environment: Record<string, string>,
): Promise<{ name: string; message: string } | null> {
  let said = ''
  const write = (text: string) => {
    said += text
  }
  const program = new Command('orrery').exitOverride().configureOutput({ writeErr: write, writeOut: write })
  addMigrateCommands(program)
  addTokenCommands(program)
  const before = process.env
  process.env = { ...environment }
  try {
    await program.parseAsync(args, { from: 'user' })
    return null
  } catch (error) {
    if (error instanceof CommanderError) return { name: `exit ${error.exitCode}`, message: said }
    if (error instanceof Error) return { name: error.name, message: error.message }
    throw error
  } finally {
    process.env = before
  }
}
