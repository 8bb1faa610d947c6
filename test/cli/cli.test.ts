import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { createDatabase, engines } from '../support/database.ts'
import { names } from '../support/migrations.ts'
import { operatorToken, orrery, sessionToken } from '../support/orrery-process.ts'

describe('orrery', () => {
  let folder: string
  let home: Record<string, string>
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-cli-'))
    home = { DATABASE_URL: `file:${folder}/data/orrery.db`, ORRERY_DATA_DIR: `${folder}/data` }
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const run = (args: readonly string[], environment = home) => orrery(args, environment).ended
  const viewer = (url: string, token: string) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { __typename } }' }),
    })

  test('says what it can do, and refuses what it cannot', async () => {
    const help = await run(['--help'])
    expect(help.code).toBe(0)
    for (const command of ['serve', 'migrate', 'token', 'print-schema']) expect(help.output).toContain(command)
    const unknown = await run(['serv'])
    expect(unknown.code).toBe(1)
    expect(unknown.output).not.toMatch(/\n\s+at /)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('starts from nothing, serves, and ends in order on %s', async (signal) => {
    const server = orrery(['serve'], home)
    const { url, output } = await server.ready()
    // What is printed here goes to a pipe, as into a journal.
    expect(output).not.toMatch(/eyJ|or[ls]_|#/)
    const token = await operatorToken(home)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await (await viewer(url, token)).json()).toEqual({ data: { viewer: { __typename: 'Operator' } } })
    for (const mutation of ['createTenant', 'createCluster', 'createNode']) expect(output).toContain(mutation)
    expect(output).toContain('node dist/cli/index.js sign-in')
    expect(output).toContain('node dist/cli/index.js token create --role operator')
    expect((await stat(`${folder}/data/secret`)).mode & 0o777).toBe(0o600)
    server.child.kill(signal)
    const { code, output: whole } = await server.ended
    expect({ code, last: whole.trim().split('\n').at(-1) }).toEqual({ code: 0, last: 'Stopped.' })
  })

  test('a token made beside the server is good for it, and the secret outlives a restart', async () => {
    const first = orrery(['serve'], home)
    const { url } = await first.ready()
    const { output: token } = await run(['token', 'create', '--role', 'operator'])
    expect((await viewer(url, token.trim())).status).toBe(200)
    first.child.kill('SIGKILL')
    await first.ended
    const second = orrery(['serve'], home)
    expect((await viewer((await second.ready()).url, token.trim())).status).toBe(200)
    second.child.kill('SIGTERM')
    expect((await second.ended).code).toBe(0)
  })

  test.each(engines)(
    'prints a sign-in link beside a server on %s, and the session outlives a restart',
    async (engine) => {
      const database = await createDatabase(engine)
      const environment = { DATABASE_URL: database.url, ORRERY_SECRET: 's'.repeat(32) }
      expect(await run(['sign-in'], environment)).toEqual({ code: 1, output: expect.stringContaining('migrat') })
      const first = orrery(['serve'], environment)
      const { url } = await first.ready()
      const token = await sessionToken(url, environment)
      expect((await viewer(url, token)).status).toBe(200)
      first.child.kill('SIGKILL')
      await first.ended
      const second = orrery(['serve'], environment)
      expect((await viewer((await second.ready()).url, token)).status).toBe(200)
      second.child.kill('SIGTERM')
      expect((await second.ended).code).toBe(0)
      await database.drop()
    },
  )

  test('the demo has a credential for everybody, and is for empty databases on this machine', async () => {
    const server = orrery(['serve', '--demo'], home)
    const { url } = await server.ready()
    while (server.child.exitCode === null && !(await printed(server)).includes('oven')) continue
    const text = await printed(server)
    for (const who of ['operator', 'admin of', 'viewer of', 'enrolling machine', 'admin node', 'node oven']) {
      const [, token = ''] = new RegExp(`\\n  ${who}[^\\n]*\\n    (\\S+)`).exec(text) ?? []
      expect([who, (await viewer(url, token)).status]).toEqual([who, 200])
    }
    server.child.kill('SIGTERM')
    await server.ended
    const again = await run(['serve', '--demo'])
    expect(again).toEqual({ code: 1, output: expect.stringContaining('--demo fills an empty database only') })
    const open = await run(['serve', '--demo'], { ...home, ORRERY_HOST: '0.0.0.0' })
    expect(open).toEqual({ code: 1, output: expect.stringContaining('listens on this machine only') })
  })

  const printed = (server: ReturnType<typeof orrery>) => server.ready().then(({ output }) => output)

  test('a database without its secret is not served under a new one', async () => {
    const server = orrery(['serve', '--demo'], home)
    await server.ready()
    server.child.kill('SIGTERM')
    await server.ended
    const secret = await readFile(`${folder}/data/secret`, 'utf8')
    await rm(`${folder}/data/secret`)
    const { code, output } = await run(['serve'])
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('secret is missing') })
    expect(output).not.toContain(secret.trim())
  })

  test('what is wrong at the start is said in a line, without a stack', async () => {
    const server = orrery(['serve'], home)
    const port = new URL((await server.ready()).url).port
    for (const [environment, message] of [
      [{ ORRERY_PORT: port }, `Port ${port} on 127.0.0.1 is taken`],
      [{ ORRERY_PORT: 'x' }, 'ORRERY_PORT'],
      [{ ORRERY_HOST: '192.0.2.1' }, '192.0.2.1 is no address of this machine'],
    ] as const) {
      const { code, output } = await run(['serve'], { ...home, ...environment })
      expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(message) })
      expect(output).not.toMatch(/\n\s+at /)
    }
    server.child.kill('SIGTERM')
    await server.ended
  })

  test.each([
    [['--role', 'admin'], 'needs --tenant'],
    [['--role', 'king'], 'Allowed choices'],
    [['--role', 'operator', '--ttl', '400d'], 'at most 366d'],
    [['--role', 'operator', '--tenant', '11111111-1111-4111-8111-111111111111'], 'belongs to no tenant'],
    [['--role', 'operator'], 'There is no secret yet'],
  ])('token create %j is refused: %s', async (args, message) => {
    const environment = message.startsWith('There is') ? home : { ...home, ORRERY_SECRET: 's'.repeat(32) }
    const { code, output } = await run(['token', 'create', ...args], environment)
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(message) })
    expect(output).not.toMatch(/\n\s+at /)
  })

  test.each(engines)('migrates %s up and down by hand', async (engine) => {
    const database = await createDatabase(engine)
    const environment = { DATABASE_URL: database.url, ORRERY_SECRET: 's'.repeat(32) }
    expect((await run(['migrate', 'up'], environment)).output.trim().split('\n')).toHaveLength(names.length)
    expect((await run(['migrate', 'up'], environment)).output.trim()).toBe('Nothing is pending.')
    const { output: back } = await run(['migrate', 'down', '--steps', '2'], environment)
    for (const name of names.slice(-2)) expect(back).toContain(`took back ${name}`)
    const status = (await run(['migrate', 'status'], environment)).output.trim().split('\n')
    expect(status.map((line) => line.split(/\s+/)[0])).toEqual([
      ...names.slice(0, -2).map(() => 'applied'),
      'pending',
      'pending',
    ])
    expect((await run(['migrate', 'down', '--steps', '0'], environment)).code).toBe(1)
    await database.drop()
  })
})
