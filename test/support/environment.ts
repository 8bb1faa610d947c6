/** Runs work as if the process had been started with another NODE_ENV. */
export async function withNodeEnv<T>(mode: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = mode
  try {
    return await work()
  } finally {
    process.env['NODE_ENV'] = before
  }
}
