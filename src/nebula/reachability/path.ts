import { contains, parseNetwork, type Network } from '../../base/networks.ts'
import { isSettings, settingAt } from '../merge.ts'
import { addressesOf, networksBehind, textsAt, type Machine, type Obstacle } from './machine.ts'

/** Why the sender does not send a packet for an address to the receiver, and why the receiver does not take it. */
export function misrouted(sender: Machine, receiver: Machine, destination: string): Obstacle[] {
  if (addressesOf(receiver).includes(destination)) return []
  const behind = networksBehind(receiver).some((network) => holds(network, destination))
  return [
    ...(behind
      ? []
      : [
          {
            code: 'NOT_BEHIND',
            at: 'receiver',
            message: `${destination} is in no network that the certificate of ${receiver.name} names as a route`,
          } as const,
        ]),
    ...unrouted(sender, receiver, destination),
  ]
}

/** The most specific route decides, as in every routing table. */
function unrouted(sender: Machine, receiver: Machine, destination: string): Obstacle[] {
  const routes = settingAt(sender.config, ['tun', 'unsafe_routes'])
  const [best] = (Array.isArray(routes) ? (routes as readonly unknown[]) : [])
    .filter(isSettings)
    .flatMap(({ route, via }) => {
      const network = parseNetwork(String(route))
      return network !== null && contains(network, destination) ? [{ network, gateways: gatewaysOf(via) }] : []
    })
    .sort((a, b) => b.network[1] - a.network[1])
  const message = best
    ? `${sender.name} sends packets for ${destination} to ${best.gateways.join(', ')}, by its most specific route`
    : `${sender.name} has no route for ${destination}`
  const isVia = best?.gateways.some((gateway) => addressesOf(receiver).includes(gateway)) ?? false
  return isVia ? [] : [{ code: 'NO_ROUTE', at: 'sender', message }]
}

/** `via` is an address, or since 1.10 a list of gateways. */
function gatewaysOf(via: unknown): string[] {
  if (!Array.isArray(via)) return [String(via)]
  return (via as readonly unknown[]).filter(isSettings).map(({ gateway }) => String(gateway))
}

/**
 * Why the sender does not learn where the receiver is in the underlay: `static_host_map` does not say it, and no
 * lighthouse that the sender asks hears from the receiver.
 */
export function unfound(sender: Machine, receiver: Machine): Obstacle[] {
  const addresses = addressesOf(receiver)
  const map = settingAt(sender.config, ['static_host_map'])
  if (isSettings(map) && addresses.some((address) => Object.hasOwn(map, address))) return []
  const told = lighthousesOf(receiver)
  const isAsked = isLighthouse(sender)
    ? addressesOf(sender).some((address) => told.includes(address))
    : lighthousesOf(sender).some((lighthouse) => told.includes(lighthouse) || addresses.includes(lighthouse))
  if (isAsked) return []
  const message = `${sender.name} cannot find ${receiver.name}: neither static_host_map nor a lighthouse of both says where it is`
  return [{ code: 'NOT_FOUND', at: 'sender', message }]
}

const isLighthouse = ({ config }: Machine): boolean => settingAt(config, ['lighthouse', 'am_lighthouse']) === true
const lighthousesOf = (machine: Machine): string[] =>
  isLighthouse(machine) ? [] : textsAt(machine.config, ['lighthouse', 'hosts'])

const holds = (text: string, address: string): boolean => {
  const network: Network | null = parseNetwork(text)
  return network !== null && contains(network, address)
}
