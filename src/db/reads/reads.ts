import type { Database } from '../client/client.ts'
import type { RowScope } from '../client/types.ts'
import { readConvergence, readEndings, readUnseen, type ConvergenceFigures, type EndingFigures } from './convergence.ts'
import { readNodeStatuses, type NodeStatus, type StatusTimes } from './node-status.ts'
import { countRows, countRowsByParent, readPage, readPages, type Excerpt, type List, type Row } from './pages.ts'
import type { Source } from './pages.ts'
import type { PlainReader } from './plain-reader.ts'
import {
  networksOfClusters,
  routesOfNodes,
  searchAddress,
  searchDescriptions,
  searchFingerprint,
  searchId,
  searchNames,
  type SearchedTable,
} from './search.ts'
import type { Field, Found, Key, TableName } from './rows.ts'
import { readStatusCounts, type StatusCounts } from './status-counts.ts'

type ReadDatabase = Pick<Database, 'engine' | 'reader' | 'lookups'>

/**
 * The reads of one scope that are SQL; every statement has the scope's condition. They are the ones that a figure of
 * docs/performance.md depends on, or that Prisma would need several statements for.
 */
export class Reads {
  readonly #database: ReadDatabase
  readonly #source: Source

  /** `null` ids of the scope mean: all. */
  constructor(database: ReadDatabase, scope: RowScope) {
    this.#database = database
    this.#source = { engine: database.engine, reader: database.reader, scope }
  }

  /**
   * The same reads, for what reads the rows of many nodes: their statements do not block other work, and wait for each
   * other.
   * @param signal fires when the result is not needed any more
   */
  long(signal?: AbortSignal): Reads {
    const { reader } = this.#database
    const { scope } = this.#source
    const waiting = { owner: scope.tenantId ?? 'operator', signal }
    const read: PlainReader['read'] = (sql, values) => reader.readLong(sql, values, waiting)
    return new Reads({ ...this.#database, reader: { ...reader, read } }, scope)
  }

  /**
   * Looks up the row with a key, in one statement with all other look-ups in the same tick of the event loop.
   * @param fields preferably the same array each time: its statement is prepared once
   * @returns the fields of the row; null when there is none or it is not in the scope
   */
  row<Name extends TableName, Asked extends Field<Name>>(
    table: Name,
    by: Key<Name>,
    key: string,
    fields: readonly Asked[],
  ): Promise<Found<Name, Asked> | null> {
    return this.#database.lookups.find(this.#source.scope, { table, by, key }, fields)
  }

  /** A page of all rows of a list that are in the scope. */
  page(list: List, excerpt: Excerpt): Promise<Row[]> {
    return readPage(this.#source, list, excerpt)
  }

  /** A page for each of many parents, by the parent's id, in one statement. */
  pages(list: List, parentIds: readonly string[], excerpt: Excerpt): Promise<Map<string, Row[]>> {
    return readPages(this.#source, list, parentIds, excerpt)
  }

  /** @param signal as of `long`, for lists whose counting is long */
  count(list: List, signal?: AbortSignal): Promise<number> {
    return countRows(this.#countedIn(list, signal), list)
  }

  /** Parents without rows are missing from the result. */
  counts(list: List, parentIds: readonly string[], signal?: AbortSignal): Promise<Map<string, number>> {
    return countRowsByParent(this.#countedIn(list, signal), list, parentIds)
  }

  #countedIn({ isLong }: List, signal: AbortSignal | undefined): Source {
    return isLong ? this.long(signal).#source : this.#source
  }

  /** The progress of each of several clusters; those outside the scope are missing. */
  convergence(clusterIds: readonly string[], now: Date): Promise<ConvergenceFigures[]> {
    return readConvergence(this.#source, clusterIds, now)
  }

  /** How many certificates of each of several clusters expire before each time, including expired ones. */
  endings(times: readonly Date[], clusterIds: readonly string[]): Promise<EndingFigures[]> {
    return readEndings(this.#source, times, clusterIds)
  }

  /** How many nodes of each of several clusters were not seen since; clusters without such nodes are missing. */
  unseen(since: Date, clusterIds: readonly string[]): Promise<Map<string, number>> {
    return readUnseen(this.#source, since, clusterIds)
  }

  /** The status of each of several nodes, by `statusKey`; those outside the scope are missing. */
  statuses(keys: readonly string[], times: StatusTimes): Promise<Map<string, NodeStatus>> {
    return readNodeStatuses(this.#source, keys, times)
  }

  /** The nodes of each of several clusters by status; clusters without nodes, or outside the scope, are missing. */
  statusCounts(clusterIds: readonly string[], times: StatusTimes): Promise<Map<string, StatusCounts>> {
    return readStatusCounts(this.#source, clusterIds, times)
  }

  /** The statements of a search; each reads at most some thousand rows. */
  get search() {
    const source = this.#source
    return {
      names: (table: SearchedTable, part: string, limit: number) => searchNames(source, table, part, limit),
      descriptions: (table: SearchedTable, part: string, limit: number) =>
        searchDescriptions(source, table, part, limit),
      id: (table: SearchedTable, id: string) => searchId(source, table, id),
      address: (address: string, limit: number) => searchAddress(source, address, limit),
      fingerprint: (prefix: string, limit: number) => searchFingerprint(source, prefix, limit),
      routes: () => routesOfNodes(source),
      networks: () => networksOfClusters(source),
    }
  }
}
