import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { openConnection } from '../../src/db/client/connection.ts'
import { complaintOf } from '../support/command.ts'
import { createDatabase, createMigratedDatabase, engines } from '../support/database.ts'
import { names } from '../support/migrations.ts'
import { orrery } from '../support/orrery-process.ts'

const tenant = '11111111-1111-4111-8111-111111111111'
const secret = { ORRERY_SECRET: 's'.repeat(32) }
const complaint = (command: string, environment: Record<string, string> = {}) =>
  complaintOf(command.split(' '), { ...secret, ...environment })
const nowhere = 'postgresql://orrery:hunter2@127.0.0.1:1/orrery'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-cli-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('what orrery says of a command line that it does not understand', () => {
  test.each([
    ['migrate sideways', 'exit 1', /unknown command 'sideways'/],
    ['migrate', 'exit 1', /Usage: orrery migrate/],
    ['migrate down --steps 0', 'exit 1', /a whole number from 1/],
    ['migrate down --steps two', 'exit 1', /a whole number from 1/],
    ['token', 'exit 1', /Usage: orrery token/],
    ['token create', 'exit 1', /required option '--role/],
    ['token create --role king', 'exit 1', /Allowed choices are operator, admin, editor, viewer, auditor/],
    ['token create --role admin --tenant nobody', 'exit 1', /the id of a tenant is a UUID/],
    ['token create --role admin', 'UsageError', /admin needs --tenant/],
    ['token create --role viewer', 'UsageError', /viewer needs --tenant/],
    [`token create --role operator --tenant ${tenant}`, 'UsageError', /belongs to no tenant/],
    ['token create --role operator --jwt --ttl 2h', 'UsageError', /at most 1h/],
    ['token create --role operator --ttl 2h --expires 2099-01-01', 'exit 1', /cannot be used with/],
    ['token create --role operator --expires tomorrow', 'exit 1', /try 2027-06-30/],
    ['token revoke everything', 'exit 1', /the id of a credential is a UUID/],
    ['token revoke', 'exit 1', /missing required argument/],
    ['token list --tenant nobody', 'exit 1', /the id of a tenant is a UUID/],
    ...['0s', '12', '-1h', '1y', '1.5h', '367d', '1e3s', '1h30m'].map(
      (ttl) => [`token create --role operator --ttl ${ttl}`, 'exit 1', /at most 366d/] as const,
    ),
  ])('orrery %s: %s', async (command, name, message) => {
    expect(await complaint(command)).toEqual({ name, message: expect.stringMatching(message) })
  })

  test('a token needs the secret that the server has', async () => {
    const environment = { ORRERY_SECRET: '', ORRERY_DATA_DIR: folder }
    const create = () => complaint('token create --role operator', environment)
    expect(await create()).toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(/There is no secret yet/),
    })
    await writeFile(join(folder, 'secret'), '\n')
    expect(await create()).toMatchObject({
      name: 'SecretError',
      message: expect.stringMatching(/is empty: restore it/),
    })
  })
})

describe('what orrery says of a database that it cannot open', () => {
  const cannot = (message: RegExp) => ({ name: 'ConnectionError', message: expect.stringMatching(message) })

  test('no server at the address; the password in it is not repeated', async () => {
    const said = await complaint('migrate status', { DATABASE_URL: nowhere })
    expect(said).toEqual(cannot(/^The database of DATABASE_URL cannot be opened: .*ECONNREFUSED/))
    expect(said?.message).not.toContain('hunter2')
    const named = nowhere.replace('127.0.0.1', 'localhost')
    expect(await complaint('migrate status', { DATABASE_URL: named })).toEqual(cannot(/ECONNREFUSED/))
  })

  test('no such database on the server', async () => {
    const database = await createDatabase('postgresql')
    await database.drop()
    const said = await complaint('migrate up', { DATABASE_URL: database.url })
    expect(said).toEqual(cannot(/cannot be opened: database ".*" does not exist/))
  })

  test('a file that is no database, and a folder', async () => {
    const file = join(folder, 'notes.txt')
    await writeFile(file, 'these are no pages of SQLite. '.repeat(50))
    const ofFile = await complaint('migrate up', { DATABASE_URL: `file:${file}` })
    expect(ofFile).toEqual(cannot(/cannot be opened: file is not a database/))
    expect(await complaint('migrate up', { DATABASE_URL: `file:${folder}` })).toEqual(cannot(/directory/))
  })
})

describe.each(engines)('what orrery says of a database on %s that does not fit it', (engine) => {
  test('one that a newer program migrated, and one that is somebody else’s', async () => {
    const newer = await createMigratedDatabase(engine)
    const foreign = await createDatabase(engine)
    const [ofNewer, ofForeign] = await Promise.all([newer, foreign].map(({ url }) => openConnection(url)))
    await ofNewer?.query(
      `UPDATE "_prisma_migrations" SET migration_name = '999_x' WHERE migration_name = '${names.at(-1)}'`,
    )
    await ofForeign?.script('CREATE TABLE invoices (id TEXT)')
    await Promise.all([ofNewer?.close(), ofForeign?.close()])
    for (const command of ['migrate status', 'migrate up', 'migrate down']) {
      const says = (message: RegExp) => ({ name: 'MigrationError', message: expect.stringMatching(message) })
      expect(await complaint(command, { DATABASE_URL: newer.url })).toEqual(says(/newer than this program.*999_x/))
      expect(await complaint(command, { DATABASE_URL: foreign.url })).toEqual(says(/not empty \(invoices\)/))
    }
    await Promise.all([newer.drop(), foreign.drop()])
  })
})

describe('the process', () => {
  test.each([
    ['nonsense', {}, /unknown command|too many arguments/],
    ['token create --role admin', secret, /needs --tenant/],
    [
      'token create --role operator',
      { DATABASE_URL: 'mysql://x', ORRERY_PORT: 'x' },
      /DATABASE_URL: .*\n.*ORRERY_PORT: /,
    ],
    ['migrate status', { ...secret, DATABASE_URL: nowhere }, /cannot be opened: .*ECONNREFUSED/],
    ['serve', { ...secret, DATABASE_URL: nowhere }, /cannot be opened: .*ECONNREFUSED/],
  ])('of orrery %s ends with 1 and says it in a line, without a stack', async (command, environment, message) => {
    const { code, output } = await orrery(command.split(' '), environment).ended
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(message) })
    expect(output).not.toMatch(/\n\s+at |node:internal|\.ts:\d/)
  })

  test('tells in the same way of a database that does not fit, and of a secret that is none', async () => {
    const database = await createDatabase('sqlite')
    const connection = await openConnection(database.url)
    await connection.script('CREATE TABLE invoices (id TEXT)')
    await connection.close()
    await writeFile(join(folder, 'secret'), '')
    for (const [command, environment, message] of [
      [['serve'], { ...secret, DATABASE_URL: database.url }, 'not empty (invoices)'],
      [['token', 'create', '--role', 'operator'], { ORRERY_DATA_DIR: folder }, 'is empty: restore it'],
    ] as const) {
      const { code, output } = await orrery(command, environment).ended
      expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(message) })
      expect(output).not.toMatch(/\n\s+at |node:internal|\.ts:\d/)
    }
    await database.drop()
  })
})
