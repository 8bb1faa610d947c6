#!/usr/bin/env node
import { Command } from 'commander'

import { SecretError } from '../auth/secret.ts'
import { ConfigError } from '../config.ts'
import { ConnectionError } from '../db/connection.ts'
import { MigrationError } from '../db/migrations/index.ts'
import { addMigrateCommands } from './migrate.ts'
import { addPrintSchemaCommand } from './print-schema.ts'
import { addServeCommand } from './serve.ts'
import { addTokenCommands } from './token.ts'
import { UsageError } from './usage-error.ts'

const program = new Command('orrery')
  .description('A control plane for Nebula overlay networks. Settings come from the environment: see .env.example.')
  .showHelpAfterError('(orrery --help lists the commands)')

addServeCommand(program)
addMigrateCommands(program)
addTokenCommands(program)
addPrintSchemaCommand(program)

const mendable = [ConfigError, ConnectionError, MigrationError, SecretError, UsageError]

try {
  await program.parseAsync()
} catch (error) {
  // What the person at the keyboard can mend is said plainly; anything else is a fault of ours and shows its stack.
  const isMendable = mendable.some((kind) => error instanceof kind)
  console.error(isMendable && error instanceof Error ? error.message : error)
  process.exitCode = 1
}
