/** After the last test: drops what global-setup.ts made, and stops the server that it started and deletes its data. */
export default async function globalTeardown(): Promise<void> {
  for (const cleanup of (globalThis.cleanups ?? []).reverse()) await cleanup()
}
