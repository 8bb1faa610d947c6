import { breaks } from '../../base/pieces.ts'

/** The part of a query that reads one page of a table by id. */
export interface IdPage {
  readonly after: { readonly gt: string }
  readonly rest: { readonly orderBy: { readonly id: 'asc' }; readonly take: number }
}

/**
 * All rows that a query finds, in pages by id. It holds one page at a time, and a reader that stops early reads no
 * more.
 * @param size the maximum number of rows in a page
 * @param read reads one page: `where: { id: after }`, and `rest`
 */
export async function* idPages<Row extends { readonly id: string }>(
  size: number,
  read: (page: IdPage) => Promise<Row[]>,
): AsyncGenerator<Row[], void> {
  const pause = breaks()
  for (let after = ''; ;) {
    const rows = await read({ after: { gt: after }, rest: { orderBy: { id: 'asc' }, take: size } })
    yield rows
    const last = rows.at(-1)
    if (!last || rows.length < size) return
    after = last.id
    await pause()
  }
}
