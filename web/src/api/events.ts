/** Takes the data out of a stream of server-sent events, piece by piece. */
export class EventReader {
  #rest = ''

  /** The data of each event that has ended in this piece; comments, which only keep the stream open, have none. */
  read(piece: string): string[] {
    const blocks = (this.#rest + piece).replaceAll('\r\n', '\n').split('\n\n')
    this.#rest = blocks.pop() ?? ''
    return blocks.map(dataOf).filter((data) => data !== '')
  }
}

const dataOf = (block: string): string =>
  block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n')
