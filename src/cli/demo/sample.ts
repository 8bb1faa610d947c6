import type { NewNode } from '../../domain/nodes/node-lifecycle.ts'

type SampleNode = Omit<NewNode, 'clusterId'>

export interface SampleCluster {
  readonly name: string
  readonly networkCidr: string
  readonly nodes: readonly SampleNode[]
  /** What each uploaded version of its configuration changed, from the oldest on. */
  readonly versions: readonly string[]
}

export interface SampleTenant {
  readonly name: string
  readonly clusters: readonly SampleCluster[]
}

/** `count` machines of one kind, numbered from 1. */
const machines = (count: number, name: string, groups: readonly string[]): SampleNode[] =>
  Array.from({ length: count }, (_, index) => ({ name: `${name}-${String(index + 1).padStart(2, '0')}`, groups }))

/** What most networks start with: a manager's machine, two lighthouses to find each other by, a relay. */
const backbone = (lighthouses: readonly string[]): SampleNode[] => [
  { name: 'admin-laptop', isAdmin: true, groups: ['admins'] },
  ...lighthouses.map((lighthousePublicIp, index) => ({
    name: `lighthouse-${index + 1}`,
    isLighthouse: true,
    lighthousePublicIp,
    groups: ['infrastructure'],
  })),
  { name: 'relay-1', isRelay: true, groups: ['infrastructure'] },
]

/**
 * A company with a large and a small network, and a consultant's customer: two tenants, three clusters, sixty nodes.
 */
export const sample: readonly SampleTenant[] = [
  {
    name: 'Northwind Logistics',
    clusters: [
      {
        name: 'production',
        networkCidr: '10.42.0.0/16',
        nodes: [
          ...backbone(['203.0.113.10', '203.0.113.11']),
          { name: 'gateway-hamburg', routes: ['192.168.10.0/24', '192.168.11.0/24'], groups: ['gateways'] },
          { name: 'gateway-hamburg-spare', routes: ['192.168.10.0/24'], groups: ['gateways'] },
          { name: 'gateway-rotterdam', routes: ['172.20.0.0/16'], mtu: 1400, groups: ['gateways'] },
          ...machines(11, 'web', ['web']),
          ...machines(8, 'worker', ['workers']),
          ...machines(4, 'postgres', ['databases']),
          ...machines(3, 'monitoring', ['infrastructure', 'monitoring']),
        ],
        versions: ['first configuration', 'punch through NAT every ten seconds', 'prefer the direct way in offices'],
      },
      {
        name: 'staging',
        networkCidr: '10.43.0.0/20',
        nodes: [
          ...backbone(['203.0.113.20']),
          ...machines(6, 'web', ['web']),
          ...machines(3, 'worker', ['workers']),
          { name: 'postgres-01', groups: ['databases'] },
        ],
        versions: ['first configuration', 'try a larger handshake interval'],
      },
    ],
  },
  {
    name: 'Bakery Schmidt',
    clusters: [
      {
        name: 'shops',
        networkCidr: '10.99.0.0/24',
        nodes: [
          ...backbone(['198.51.100.7']),
          { name: 'head-office', routes: ['192.168.1.0/24'], groups: ['offices'] },
          ...machines(7, 'till', ['tills']),
          ...machines(3, 'oven', ['ovens']),
        ],
        versions: ['first configuration'],
      },
    ],
  },
]

/** The shared configuration of a version, with the settings that all versions have from the first one on. */
export const configFor = (version: number): string =>
  [
    '# Shared by all nodes of the cluster; what differs per node comes from its row.',
    'pki:',
    '  # Without it a tunnel to a revoked node stays open after a reload.',
    '  disconnect_invalid: true',
    'punchy:',
    '  punch: true',
    ...(version > 1 ? ['  delay: 10s'] : []),
    'tun:',
    '  dev: nebula1',
    ...(version > 2 ? ['preferred_ranges:', '  - 192.168.0.0/16'] : []),
    '',
  ].join('\n')
