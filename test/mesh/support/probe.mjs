// Runs on a machine of the lab, without the project's code: answers on ports, or asks which ports of addresses answer.
//   probe.mjs answer ADDRESS,… PORT,…    writes "ready" and answers until it is ended
//   probe.mjs ask ADDRESS,… PORT,… CONTROL [large]    writes [{"udp":[…],"tcp":[…],"large":[…]},…], for each address the
//                                                     ports that answered
//
// CONTROL is a port that is open to all, and is asked after all others: answers that were let through arrive before its
// answer, so silence is known by the control's answer and not by a timeout.
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const rounds = 2
const longest = 15_000
/** Bytes of a datagram that the overlay's MTU cuts into three. */
const large = 3000

const [task = '', list = '', numbers = '', control = '', fragments = ''] = process.argv.slice(2)
const addresses = list.split(',')
const ports = numbers.split(',').map(Number)

if (task === 'answer') await answer()
else {
  const answers = await Promise.all(addresses.map((address) => ask(address, Number(control))))
  process.stdout.write(`${JSON.stringify(answers)}\n`, () => process.exit())
}

async function answer() {
  const all = addresses.flatMap((address) => ports.map((port) => /** @type {const} */ ([address, port])))
  const open = all.flatMap(([address, port]) => [answerUdp(address, port), answerTcp(address, port)])
  await Promise.all(open)
  process.stdout.write('ready\n')
}

function answerUdp(/** @type {string} */ address, /** @type {number} */ port) {
  const socket = createSocket('udp4')
  // The answer is always short: only the way there is tested.
  socket.on('message', (text, from) => socket.send(text.subarray(0, 8), from.port, from.address))
  return new Promise((resolve) => socket.bind({ address, port, exclusive: true }, () => resolve(null)))
}

function answerTcp(/** @type {string} */ address, /** @type {number} */ port) {
  const server = createServer((socket) => socket.on('error', () => undefined).end())
  return new Promise((resolve) => server.listen({ host: address, port }, () => resolve(null)))
}

async function ask(/** @type {string} */ address, /** @type {number} */ last) {
  const udp = await askUdp(address, last, 8)
  const tcp = await askTcp(address, last)
  return { udp, tcp, large: fragments === '' ? [] : await askUdp(address, last, large) }
}

async function askUdp(/** @type {string} */ address, /** @type {number} */ last, /** @type {number} */ size) {
  const socket = createSocket('udp4')
  /** @type {Set<number>} */
  const open = new Set()
  const controls = new Set()
  socket.on('message', (text, { port }) => (port === last ? controls.add(text.toString()) : open.add(port)))
  for (let round = 0; round < rounds; round += 1) {
    for (const port of ports) socket.send(Buffer.alloc(size), port, address)
    await until(() => {
      socket.send(Buffer.from(`round ${round}`), last, address)
      return controls.has(`round ${round}`)
    })
  }
  socket.close()
  return [...open].sort()
}

async function askTcp(/** @type {string} */ address, /** @type {number} */ last) {
  /** @type {Set<number>} */
  const open = new Set()
  const sockets = ports.map((port) => knock(address, port, () => open.add(port)))
  for (let round = 0; round < rounds; round += 1) {
    let connected = false
    sockets.push(knock(address, last, () => (connected = true)))
    await until(() => connected)
  }
  for (const socket of sockets) socket.destroy()
  return [...open].sort()
}

function knock(/** @type {string} */ host, /** @type {number} */ port, /** @type {() => void} */ opened) {
  const socket = connect({ host, port })
  return socket.on('connect', opened).on('error', () => undefined)
}

async function until(/** @type {() => boolean} */ holds) {
  const end = performance.now() + longest
  while (!holds()) {
    if (performance.now() > end) throw new Error(`the control port of ${list} does not answer`)
    await sleep(20)
  }
}
