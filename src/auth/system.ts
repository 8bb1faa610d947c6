import type { Database } from '../db/client/client.ts'
import { operatorScope } from './make-scope.ts'
import { systemActor } from './session.ts'
import type { Opener, Operator } from './scope.ts'

/**
 * The server's own scope, for its heartbeat, the demo data and the commands of maintenance: no caller is signed in.
 * @param opener of the server's secrets, where its work may include signing
 */
export const systemOperator = (database: Database, opener: Opener | null = null): Operator =>
  operatorScope(database, systemActor, opener)

/** The scope of a command that somebody with the installation's secret gives; it is named in what it makes. */
export const commandLineOperator = (database: Database): Operator => operatorScope(database, 'the command line')
