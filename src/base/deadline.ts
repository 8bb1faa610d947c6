/**
 * The result of work, unless it takes too long. The work goes on then, and its result is ignored.
 * @param most milliseconds
 * @throws Late, usually an Error, with the message when they have passed
 */
export async function within<T>(
  most: number,
  work: Promise<T>,
  message: string,
  Late: new (message: string) => Error = Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Late(message)), most)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
