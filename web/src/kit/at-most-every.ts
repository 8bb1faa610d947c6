/** Runs at once, and again for what was asked meanwhile, with at least the milliseconds between two runs. */
export function atMostEvery(milliseconds: number, run: () => void) {
  let timer: ReturnType<typeof setTimeout> | null = null
  let isAsked = false
  const begin = () => {
    isAsked = false
    run()
    timer = setTimeout(() => {
      timer = null
      if (isAsked) begin()
    }, milliseconds)
  }
  return {
    ask: () => {
      isAsked = true
      if (timer === null) begin()
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer)
    },
  }
}
