#!/usr/bin/env node
import { Command } from 'commander'

import { printable } from '../base/texts/printable.ts'
import { addAgentCommands } from './agent.ts'
import { addAuditCommands } from './audit.ts'
import { addMigrateCommands } from './migrate.ts'
import { addPrintSchemaCommand } from './print-schema.ts'
import { addServeCommand } from './serve.ts'
import { addSecretCommands } from './secret.ts'
import { addSignInCommand } from './sign-in.ts'
import { addTokenCommands } from './token.ts'

const program = new Command('orrery')
  .description('A control plane for Nebula overlay networks. Settings come from the environment: see .env.example.')
  .showHelpAfterError('(orrery --help lists the commands)')

addServeCommand(program)
addMigrateCommands(program)
addAgentCommands(program)
addSignInCommand(program)
addTokenCommands(program)
addSecretCommands(program)
addAuditCommands(program)
addPrintSchemaCommand(program)

/** By name, since their classes are in modules that only some commands load. */
const mendable = [
  'AgentError',
  'ClosedKeysError',
  'ConfigError',
  'ConnectionError',
  'MigrationError',
  'SecretError',
  'UnavailableError',
  'UsageError',
]

try {
  await program.parseAsync()
} catch (error) {
  // A problem that the person at the keyboard can fix is a plain message; any other is a fault and shows its stack.
  console.error(error instanceof Error && mendable.includes(error.name) ? printable(error.message) : error)
  process.exitCode = 1
}
