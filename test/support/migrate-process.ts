// A program of its own, for tests of several processes on one database: it opens the database, prints "ready", waits
// for the end of its standard input, migrates, and prints what it applied as JSON. Arguments: URL, and a migrations
// folder.
import { openConnection } from '../../src/db/client/connection.ts'
import { migrateUp } from '../../src/db/migrations/index.ts'

const [url = '', folder] = process.argv.slice(2)
const connection = await openConnection(url)
process.stdout.write('ready\n')
process.stdin.resume()
await new Promise((resolve) => process.stdin.once('end', resolve))
const applied = await migrateUp(connection, undefined, folder)
await connection.close()
process.stdout.write(JSON.stringify(applied))
