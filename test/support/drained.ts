/** Runs a sweep to its end, without asking who the master is. */
export async function drained(pages: AsyncGenerator<void, void>): Promise<void> {
  while ((await pages.next()).done !== true);
}
