// Preloaded (`node --import`) into each server that is measured, so that the server itself knows nothing of it: tells
// the process that started it, over the channel between the two, what the server has used so far.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
/** @type {() => void} */
// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- V8's own function, which has no types
const collect = runInNewContext('gc')

process.on('message', (message) => {
  // What is asked about memory is what is held, not what has been left lying about.
  if (message === 'collect') collect()
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ usage: { cpu: user + system, rss, heapUsed } })
})
// Listening to the channel would keep a server alive that has ended everything else.
process.channel?.unref()
