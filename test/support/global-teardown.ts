/** After the last test: stops the server that global-setup.ts started; its data goes with it. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.stopPostgres?.()
}
