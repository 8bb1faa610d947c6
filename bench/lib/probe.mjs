// Preloaded (`node --import`) into each measured server, so that the server itself does not know about it: reports to
// the parent process, over the channel between the two, what the server has used so far.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
/** @type {() => void} */
// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- V8's own function, which has no types
const collect = runInNewContext('gc')

process.on('message', (message) => {
  // Memory means what is still in use, not uncollected garbage.
  if (message === 'collect') collect()
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ usage: { cpu: user + system, rss, heapUsed } })
})
// Listening to the channel would keep a server alive that has ended everything else.
process.channel?.unref()
