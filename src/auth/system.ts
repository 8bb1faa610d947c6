import type { Database } from '../db/client.ts'
import { operatorScope } from './make-scope.ts'
import type { Operator } from './scope.ts'

/** The server's own reach, for its heartbeat, the demo data and the command line: nobody signed in. */
export const systemOperator = (database: Database): Operator => operatorScope(database, 'Orrery')
